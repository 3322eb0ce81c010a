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
    , buffer_(input, buffer_bytes) {}

bool LineReader::next(RecordingLine& line, TimeBudget& budget) {
    for (;;) {
        paused_ = budget.over(buffer_.offset() + searched_);
        if (paused_) return false;
        auto unread = buffer_.unread();
        auto length = std::min(unread.find('\n', searched_), unread.size());
        if (length > max_line_bytes_) {
            throw Error(Errc::too_large,
                        fmt::format("{}: the line is longer than {} bytes",
                                    where({{}, buffer_.offset(), counts_ ? number_ + 1 : 0, false}),
                                    max_line_bytes_));
        }
        const bool whole = length < unread.size();
        if (!whole) {
            searched_ = length;
            if (buffer_.fill(max_line_bytes_ + 1)) continue;
            if (length == 0) return false;
            unread = buffer_.unread(); // fill() has moved it
        }
        ++number_;
        line = {unread.substr(0, length), buffer_.offset(), counts_ ? number_ : 0, whole};
        newest_ = length + (whole ? 1 : 0);
        buffer_.consume(newest_);
        searched_ = 0;
        if (wanted_.empty() || holds(line.text, wanted_) || holds(line.text, "\\u")) return true;
    }
}

void LineReader::keep_incomplete() {
    buffer_.restore(newest_);
    searched_ = newest_;
    --number_;
}

void LineReader::seek(std::uint64_t offset, std::uint64_t number) {
    buffer_.seek(offset);
    searched_ = 0;
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
        const auto unread = buffer_.unread();
        if (const auto end = unread.find('\n'); end != unread.npos) {
            buffer_.consume(end + 1);
            return true;
        }
        buffer_.consume(unread.size());
        if (buffer_.offset() > offset + max_bytes || !buffer_.fill(max_line_bytes_ + 1))
            return false;
    }
}

std::string LineReader::where(const RecordingLine& line) const {
    if (line.number == 0) return fmt::format("{}: byte {}", input_.name(), line.offset);
    return fmt::format("{}:{}", input_.name(), line.number);
}

} // namespace sse
