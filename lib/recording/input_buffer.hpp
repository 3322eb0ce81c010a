// The part of a recording's text that its reader is looking at. Knows no lines.
#pragma once

#include "recording/input.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sse {

/// Holds bytes of an input that were read and not yet consumed, in order. One thread at a time.
class InputBuffer {
public:
    /// Readable memory behind unread(), as simdjson requires.
    static constexpr std::size_t padding = 64;

    /// Reads `bytes` at a time. `input` must outlive it.
    InputBuffer(RecordingInput& input, std::size_t bytes);

    /// Valid until the next fill() or seek().
    std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
    /// Moves behind the first `bytes` of unread().
    void consume(std::size_t bytes) { begin_ += bytes, offset_ += bytes; }
    /// Takes back the newest `bytes` that were consumed since the last fill() or seek().
    void restore(std::size_t bytes) { begin_ -= bytes, offset_ -= bytes; }
    /// Of unread(), in the text.
    std::uint64_t offset() const { return offset_; }

    /// Reads more bytes behind unread(), which has to be shorter than `max_bytes`: it grows up to
    /// that. False at the end. Throws as RecordingInput does.
    bool fill(std::size_t max_bytes);
    /// Continues at byte `offset` of the text. Throws as RecordingInput does.
    void seek(std::uint64_t offset);

private:
    RecordingInput& input_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0, end_ = 0; ///< of unread(), in the buffer
    std::uint64_t offset_ = 0;
};

} // namespace sse
