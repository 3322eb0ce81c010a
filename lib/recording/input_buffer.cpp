#include "recording/input_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace sse {

InputBuffer::InputBuffer(RecordingInput& input, std::size_t bytes)
    : input_(input)
    , buffer_(bytes + padding) {}

bool InputBuffer::fill(std::size_t max_bytes) {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_, begin_ = 0;
    }
    if (end_ + padding == buffer_.size())
        buffer_.resize(std::min((buffer_.size() - padding) * 2, max_bytes) + padding);
    const auto got = input_.read(buffer_.data() + end_, buffer_.size() - padding - end_);
    end_ += got;
    return got > 0;
}

void InputBuffer::seek(std::uint64_t offset) {
    input_.seek(offset);
    begin_ = end_ = 0;
    offset_ = offset;
}

} // namespace sse
