#include "store/segment_file.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace sse {

namespace {

constexpr std::string_view events_suffix = ".events";
constexpr std::size_t digits = 20;
constexpr std::size_t read_bytes = 256 * 1024;

} // namespace

std::string segment_name(std::uint64_t number) {
    return fmt::format("{:020}{}", number, events_suffix);
}

std::string segment_index_name(std::uint64_t number) { return fmt::format("{:020}.index", number); }

std::optional<std::uint64_t> segment_number(const std::string& name) {
    if (name.size() != digits + events_suffix.size() || !name.ends_with(events_suffix))
        return std::nullopt;
    std::uint64_t number = 0;
    const auto* const end = name.data() + digits;
    const auto parsed = std::from_chars(name.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return number;
}

std::optional<SegmentHead> read_segment_head(const StoreFile& file, const std::string& path) {
    std::array<char, sizeof(SegmentHead)> bytes;
    SegmentHead head;
    if (file.read(bytes.data(), bytes.size(), 0) < bytes.size()) return std::nullopt;
    std::memcpy(&head, bytes.data(), bytes.size());
    if (head.magic != SegmentHead::expected_magic) return std::nullopt;
    if (head.version != SegmentHead{}.version) {
        throw Error(Errc::bad_input,
                    fmt::format("{} has version {} of the format; this program reads version {}",
                                path, head.version, SegmentHead{}.version),
                    Reason::newer_version);
    }
    return head;
}

SegmentScanner::SegmentScanner(const StoreFile& file, std::string& buffer, std::uint32_t seed,
                               std::uint64_t begin, std::uint64_t end)
    : file_(file)
    , seed_(seed)
    , end_(end)
    , next_(begin)
    , offset_(begin)
    , end_of_records_(begin)
    , buffer_(buffer) {
    buffer_.clear();
}

std::string_view SegmentScanner::bytes(std::size_t size) {
    const auto held_end = buffer_at_ + buffer_.size();
    if (next_ < buffer_at_ || next_ + size > held_end) {
        const auto wanted = std::min<std::uint64_t>(std::max(size, read_bytes), end_ - next_);
        const bool holds_next = next_ >= buffer_at_ && next_ < held_end;
        buffer_.erase(0, holds_next ? next_ - buffer_at_ : buffer_.size());
        const auto kept = buffer_.size();
        buffer_.resize(wanted);
        buffer_.resize(kept + file_.read(buffer_.data() + kept, wanted - kept, next_ + kept));
        buffer_at_ = next_;
    }
    return std::string_view(buffer_).substr(next_ - buffer_at_);
}

std::optional<RecordView> SegmentScanner::next(std::optional<std::string_view> channel) {
    while (next_ < end_) {
        auto start = bytes(sizeof(RecordHead));
        const auto head = parse_record_head(start);
        if (!head || head->size > end_ - next_) {
            if (!skip_damage()) break;
            continue;
        }
        if (channel) {
            start = bytes(sizeof(RecordHead) + head->name_size);
            if (head->count == 0 || record_name(*head, start) != *channel) {
                next_ += head->size;
                end_of_records_ = next_;
                continue;
            }
        }
        const auto whole = bytes(head->size);
        if (whole.size() < head->size) break; // the file was cut
        const auto record = parse_record(whole.substr(0, head->size), seed_);
        if (!record) {
            if (!skip_damage()) break;
            continue;
        }
        offset_ = next_;
        next_ += head->size;
        end_of_records_ = next_;
        return record;
    }
    return std::nullopt;
}

/// Moves on to the next whole record; false if there is none.
bool SegmentScanner::skip_damage() {
    std::array<char, sizeof(RecordHead::magic)> magic;
    constexpr auto value = RecordHead::expected_magic;
    std::memcpy(magic.data(), &value, magic.size());
    const auto from = next_;
    for (++next_; next_ < end_;) {
        const auto here = bytes(sizeof(RecordHead));
        const auto found = here.find(std::string_view(magic.data(), magic.size()));
        if (found == here.npos) {
            if (here.size() < sizeof(RecordHead)) break;
            next_ += here.size() - magic.size() + 1;
            continue;
        }
        next_ += found;
        const auto head = parse_record_head(bytes(sizeof(RecordHead)));
        if (head && head->size <= end_ - next_) {
            const auto whole = bytes(head->size);
            if (whole.size() >= head->size && parse_record(whole.substr(0, head->size), seed_)) {
                ++damaged_;
                return true;
            }
        }
        ++next_;
    }
    next_ = from;
    return false;
}

} // namespace sse
