// Lines of a file with a bound on their length, wherever the reads cut them. Does not know what a
// line says.
#pragma once

#include "recording/input.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// One line, without its LF. 64 bytes behind it may be read (not used), as simdjson does.
struct RecordingLine {
    std::string_view text;
    std::uint64_t offset = 0; ///< of its first byte in the text
    std::uint64_t number = 0; ///< from 1; 0: not known, since the reading began in the middle
    bool whole = true;        ///< false: the file ended before its LF
};

/// Reads lines in order, in memory that is bounded by the longest one.
class LineReader {
public:
    /// `buffer_bytes` are read at a time; `max_line_bytes` is the bound of a line.
    /// `input` must outlive it.
    LineReader(RecordingInput& input, std::size_t buffer_bytes, std::size_t max_line_bytes);

    /// The next line, valid until the next call; false at the end. Where the file has grown since,
    /// the next call goes on, with an unfinished line from its start if `keep_torn()` was called.
    /// Throws Error: too_large `name:line: ...`, and what RecordingInput throws.
    bool next(RecordingLine& line);
    /// Takes back the unfinished line that next() just gave: it is given again when there is more.
    void keep_torn();
    /// Goes on with the line that begins at `offset` and has that number, 0 if nobody knows it.
    void seek(std::uint64_t offset, std::uint64_t number);
    /// Goes on with the first line that begins at `offset` or behind it.
    void seek_near(std::uint64_t offset);
    /// From now on, lines that hold neither `text` nor a `\u`, which it may hide behind, are left
    /// out, but for one in `given_every` bytes, so that a caller can look at the time; "": none.
    /// Much faster than to parse each.
    void only_with(std::string text) { wanted_ = std::move(text); }
    /// `FILE:LINE`, or `FILE: byte OFFSET` where the number is not known.
    std::string where(const RecordingLine& line) const;
    /// Where the next line begins in the text.
    std::uint64_t offset() const { return offset_; }

private:
    static constexpr std::size_t padding = 64;
    static constexpr std::uint64_t given_every = 64 * 1024;
    bool fill();

    RecordingInput& input_;
    std::size_t max_line_bytes_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0, searched_ = 0, end_ = 0; ///< begin_ <= searched_ <= end_, in the buffer
    std::size_t last_ = 0;                           ///< where the line given last began
    std::uint64_t offset_ = 0;                       ///< of begin_ in the text
    std::uint64_t number_ = 0;                       ///< of the line given last
    bool counts_ = true;                             ///< the numbers are known
    std::string wanted_;
    std::uint64_t given_ = 0; ///< offset of the line that was given last
};

} // namespace sse
