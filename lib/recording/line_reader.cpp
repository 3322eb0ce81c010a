#include "recording/line_reader.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace sse {

namespace {

bool holds(std::string_view line, std::string_view text) {
    return ::memmem(line.data(), line.size(), text.data(), text.size()) != nullptr;
}

} // namespace

LineReader::LineReader(RecordingInput& input, std::size_t buffer_bytes, std::size_t max_line_bytes)
    : input_(input)
    , max_line_bytes_(max_line_bytes)
    , buffer_(buffer_bytes + padding) {}

bool LineReader::next(RecordingLine& line, TimeBudget& budget) {
    for (;;) {
        paused_ = budget.over(offset_ + (searched_ - begin_));
        if (paused_) return false;
        const auto* from = buffer_.data() + searched_;
        const auto* found = static_cast<const char*>(std::memchr(from, '\n', end_ - searched_));
        auto stop = found ? static_cast<std::size_t>(found - buffer_.data()) : end_;
        if (stop - begin_ > max_line_bytes_) {
            throw Error(Errc::too_large,
                        fmt::format("{}: the line is longer than {} bytes",
                                    where({{}, offset_, counts_ ? number_ + 1 : 0, false}),
                                    max_line_bytes_));
        }
        searched_ = stop;
        if (!found) {
            if (fill()) continue;
            if (begin_ == end_) return false;
            stop = end_; // fill() has moved it
        }
        const auto next = found ? stop + 1 : stop;
        ++number_;
        line = {{buffer_.data() + begin_, stop - begin_},
                offset_,
                counts_ ? number_ : 0,
                found != nullptr};
        offset_ += next - begin_;
        last_ = begin_;
        begin_ = searched_ = next;
        if (wanted_.empty() || holds(line.text, wanted_) || holds(line.text, "\\u")) return true;
    }
}

void LineReader::keep_incomplete() { // its bytes are still in the buffer: only fill() moves them
    offset_ -= begin_ - last_;
    begin_ = last_;
    searched_ = end_;
    --number_;
}

bool LineReader::fill() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_, searched_ -= begin_, begin_ = 0;
    }
    if (end_ + padding == buffer_.size()) {
        buffer_.resize(std::min((buffer_.size() - padding) * 2, max_line_bytes_ + 1) + padding);
    }
    const auto got = input_.read(buffer_.data() + end_, buffer_.size() - padding - end_);
    end_ += got;
    return got > 0;
}

void LineReader::seek(std::uint64_t offset, std::uint64_t number) {
    input_.seek(offset);
    begin_ = searched_ = end_ = last_ = 0;
    offset_ = offset;
    counts_ = number != 0;
    number_ = counts_ ? number - 1 : 0;
}

bool LineReader::seek_near(std::uint64_t offset, std::uint64_t max_bytes) {
    if (offset == 0) {
        seek(0, 1);
        return true;
    }
    seek(offset - 1, 0); // so that a line that begins there is found
    for (;;) {
        const std::string_view text(buffer_.data(), end_);
        if (const auto end = text.find('\n'); end != text.npos) {
            begin_ = searched_ = last_ = end + 1;
            offset_ += end + 1;
            return true;
        }
        offset_ += end_;
        begin_ = searched_ = end_ = last_ = 0;
        if (offset_ > offset + max_bytes || !fill()) return false;
    }
}

std::string LineReader::where(const RecordingLine& line) const {
    if (line.number == 0) return fmt::format("{}: byte {}", input_.name(), line.offset);
    return fmt::format("{}:{}", input_.name(), line.number);
}

} // namespace sse
