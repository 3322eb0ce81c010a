// Standard output, for data: one buffer, written when it is full or when the stream pauses. Not for
// messages, which go to stderr.
#pragma once

#include "base/interrupt.hpp"

#include <cstddef>
#include <string>

namespace cmd {

class Output {
public:
    /// Writes to `fd`, which it does not own. When whoever reads there has gone, `interrupt` is
    /// raised with that reason, and what is written goes nowhere.
    Output(int fd, sse::Interrupt& interrupt);

    /// What is to be written: append to it, whole lines, then call added().
    std::string& text() { return text_; }
    /// Writes if enough has gathered; true if everything was written.
    bool added() { return text_.size() >= enough && flush(); }
    /// Writes everything; waits for the reader if need be. False if a signal came, or the reader
    /// went: something is left unwritten. Throws Failure (23) if writing fails. Once text was lost
    /// that way it stays false.
    bool flush();
    bool is_terminal() const { return is_terminal_; }

private:
    static constexpr std::size_t enough = 64 * 1024;

    int fd_;
    sse::Interrupt& interrupt_;
    std::string text_;
    bool is_terminal_ = false;
    bool lost_ = false; ///< text was thrown away
    std::size_t
        at_once_; ///< bytes that a write takes without blocking, once poll() says there is room
};

} // namespace cmd
