// Text on stdout that gathers until the caller pauses. Quiet when nobody reads on.
#pragma once

#include "cmd/cli/command.hpp"

#include <chrono>
#include <string>

namespace cmd {

/// Standard output is a pipe that is read no more.
bool reader_has_gone();

/// For a write to standard output that failed with the errno `error`.
Failure stdout_failure(int error);

/// Owns nothing but its buffer. One thread.
class StdoutText {
public:
    /// Bytes that gather before they are written without a flush().
    static constexpr std::size_t buffer_bytes = 64 * 1024;

    /// Where to append; call written() afterwards.
    std::string& text() { return text_; }
    /// Writes if enough has gathered. False once the reader has gone (EPIPE). Throws Failure
    /// (io_error) where writing fails otherwise.
    bool written() { return text_.size() < buffer_bytes || flush(); }
    bool flush();
    /// Waits until then, or until the reader goes: then false.
    bool wait_until(std::chrono::steady_clock::time_point when);

private:
    std::string text_;
    bool closed_ = false;
};

} // namespace cmd
