// Standard output, for data: one buffer, written when it is full or when the caller pauses. Not for
// messages, which go to stderr.
#pragma once

#include "cmd/cli/command.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace cmd {

/// True if standard output is a pipe whose reader has closed its end.
bool reader_has_gone();

/// The failure for a write to standard output that failed with the errno `error`.
Failure stdout_failure(int error);

struct OutputOptions {
    /// Waits until its argument, a descriptor, can be written to; false stops the output. Without
    /// one, a write waits as long as it takes.
    std::function<bool(int fd)> wait = {};
    /// Called once, when the reader of the pipe or socket has closed its end.
    std::function<void()> on_reader_gone = {};
    /// Write control characters other than LF and tab as escape sequences if the descriptor is a
    /// terminal: for text that somebody else wrote.
    bool escape_on_terminal = false;
    /// After `wait` has given up, a unit that is written in part may take this long to complete.
    std::chrono::milliseconds grace{1'000};
};

/// Writes units of text, such as events, to a descriptor that it does not own, and stops at the end
/// of a unit only. One thread at a time.
class Output {
public:
    /// Throws Failure (io_error) if `fd` is not open.
    explicit Output(int fd, OutputOptions options = {});

    /// The buffer: append a unit to it, then call added().
    std::string& text() { return text_; }
    /// Ends a unit, and writes if enough has gathered. False once the output has stopped.
    bool added() {
        if (may_block_) ends_.push_back(text_.size());
        return text_.size() < enough ? !stopped_ : flush();
    }
    /// Writes everything. False if the output has stopped, because the wait gave up or the reader
    /// closed its end: the rest and all later text are discarded. Throws Failure (io_error) if a
    /// write fails.
    bool flush();
    /// Bytes appended and bytes written since the start: they differ by the text in the buffer, and
    /// by what was discarded.
    std::uint64_t appended() const { return written_ + discarded_ + text_.size(); }
    std::uint64_t written() const { return written_; }
    /// Waits until `when`; false once the reader has closed its end.
    bool wait_until(std::chrono::steady_clock::time_point when);
    /// A write may wait for a reader: the descriptor is a pipe, a socket or a terminal.
    bool may_block() const { return may_block_; }

private:
    static constexpr std::size_t enough = 64 * 1024;

    bool wait_for_room() const;
    void on_closed();
    std::size_t end_of_unit(std::size_t at) const;
    std::size_t end_of_piece(std::size_t at) const;
    bool write_piece(std::size_t& at, std::size_t end);
    void discard(std::size_t written);
    void finish_unit(std::size_t& at);

    int fd_;
    OutputOptions options_;
    std::string text_;
    std::vector<std::size_t> ends_; ///< of the units in text_; only if may_block_
    std::uint64_t written_ = 0, discarded_ = 0;
    bool may_block_ = false;
    bool escapes_ = false; ///< escape_on_terminal, and it is one
    bool stopped_ = false; ///< text was discarded
};

} // namespace cmd
