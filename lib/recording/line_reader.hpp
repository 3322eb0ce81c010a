// Splits a file into lines of bounded length. Does not interpret them.
#pragma once

#include "base/time_budget.hpp"
#include "recording/input_buffer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sse {

/// One line, without its LF. The InputBuffer::padding bytes after it are readable memory.
struct RecordingLine {
    std::string_view text;
    std::uint64_t offset = 0; ///< of the first byte in the text
    std::uint64_t number = 0; ///< from 1; 0: unknown after a seek
    bool whole = true;        ///< false: the file ends without an LF
};

/// Reads lines in order, in memory bounded by the longest line. One thread at a time.
class LineReader {
public:
    /// Reads `buffer_bytes` at a time. `input` must outlive it.
    LineReader(RecordingInput& input, std::size_t buffer_bytes, std::size_t max_line_bytes);

    /// The next line, valid until the next call; false at the end. If the file has grown since, the
    /// next call continues, with an incomplete line from its start if keep_incomplete() was called.
    /// Throws Error: too_large with `name:line: reason`, and as RecordingInput does.
    bool next(RecordingLine& line) {
        TimeBudget unlimited(TimeBudget::Clock::time_point::max());
        return next(line, unlimited);
    }
    /// The same, but false with paused() if `budget` is used up first; the next call continues.
    bool next(RecordingLine& line, TimeBudget& budget);
    bool paused() const { return paused_; }
    /// Returns the incomplete line of the last next() again, once there is more of it.
    void keep_incomplete();
    /// Continues with the line that begins at `offset`; `number` is its number, 0 if unknown.
    void seek(std::uint64_t offset, std::uint64_t number);
    /// Continues with the first line that begins at or after `offset`. False if there is none
    /// within about `max_bytes`; the reader must be moved again then.
    bool seek_near(std::uint64_t offset, std::uint64_t max_bytes);
    /// Skips lines that contain neither `text` nor a `\u` escape, which may encode it; "": skips
    /// none. This is much faster than parsing every line.
    void skip_without(std::string text) { wanted_ = std::move(text); }
    /// `FILE:LINE`, or `FILE: byte OFFSET` if the number is unknown.
    std::string where(const RecordingLine& line) const;
    /// Start of the next line in the text.
    std::uint64_t offset() const { return buffer_.offset(); }

private:
    RecordingInput& input_;
    std::size_t max_line_bytes_;
    InputBuffer buffer_;
    std::size_t searched_ = 0; ///< unread bytes without a line end
    std::size_t newest_ = 0;   ///< bytes of the newest line, with its end
    std::uint64_t number_ = 0; ///< of the newest line
    bool counts_ = true;       ///< line numbers are known
    std::string wanted_;
    bool paused_ = false;
};

} // namespace sse
