// Standard output, for data: one buffer, written when it is full or when the caller pauses. Not for
// messages, which go to stderr.
#pragma once

#include "cmd/cli/command.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

namespace cmd {

/// True if standard output is a pipe whose reader has closed its end.
bool reader_has_gone();

/// The failure for a write to standard output that failed with the errno `error`.
Failure stdout_failure(int error);

struct OutputOptions {
    /// Waits until its argument, a descriptor, can be written to; false stops the output. Without
    /// one, a write waits as long as it takes.
    std::function<bool(int fd)> wait;
    /// Called once, when the reader of the pipe or socket has closed its end.
    std::function<void()> on_reader_gone;
    /// Write control characters other than LF and tab as escape sequences if the descriptor is a
    /// terminal: for text that somebody else wrote.
    bool escape_on_terminal = false;
};

/// Writes to a descriptor that it does not own. One thread at a time.
class Output {
public:
    /// Throws Failure (io_error) if `fd` is not open.
    explicit Output(int fd, OutputOptions options = {});

    /// The buffer: append to it, then call added().
    std::string& text() { return text_; }
    /// Writes if enough has gathered. False once the output has stopped.
    bool added() { return text_.size() < enough ? !stopped_ : flush(); }
    /// Writes everything. False if something is left unwritten: the wait gave up, or the reader has
    /// closed its end; then all later text is discarded. Throws Failure (io_error) if a write
    /// fails.
    bool flush();
    /// Waits until `when`; false once the reader has closed its end.
    bool wait_until(std::chrono::steady_clock::time_point when);
    /// A write may wait for a reader: `fd` is a pipe, a socket or a terminal.
    bool may_block() const { return may_block_; }

private:
    static constexpr std::size_t enough = 64 * 1024;

    bool has_room();
    void close();

    int fd_;
    OutputOptions options_;
    std::string text_;
    bool may_block_ = false;
    bool escapes_ = false; ///< escape_on_terminal, and it is one
    bool stopped_ = false; ///< text was lost
};

} // namespace cmd
