#include "hub/event_id.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sse {

namespace {

template <typename Number>
void append_number(Number number, std::string& out) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

} // namespace

std::optional<EventId> parse_event_id(std::string_view id) {
    EventId out;
    const auto* const end = id.data() + id.size();
    const auto ms = std::from_chars(id.data(), end, out.ms);
    if (ms.ec != std::errc() || ms.ptr == end || *ms.ptr != '-') return std::nullopt;
    const auto n = std::from_chars(ms.ptr + 1, end, out.n);
    if (n.ec != std::errc() || n.ptr != end) return std::nullopt;
    return out;
}

std::optional<std::uint64_t> parse_start_id(std::string_view id) {
    constexpr std::string_view suffix = "-start";
    if (!id.ends_with(suffix)) return std::nullopt;
    id.remove_suffix(suffix.size());
    std::uint64_t ms = 0;
    const auto parsed = std::from_chars(id.data(), id.data() + id.size(), ms);
    if (parsed.ec != std::errc() || parsed.ptr != id.data() + id.size()) return std::nullopt;
    return ms;
}

std::string_view EventIds::next(std::chrono::system_clock::time_point now) {
    const auto since_1970 =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
    const auto ms = std::max<std::int64_t>(since_1970.count(), 0);
    if (ms > ms_) set_ms(ms);
    text_.resize(prefix_);
    append_number(n_++, text_);
    return text_;
}

void EventIds::continue_after(EventId id) {
    const auto ms = static_cast<std::int64_t>(id.ms);
    if (ms < ms_ || (ms == ms_ && id.n < n_)) return;
    set_ms(ms);
    n_ = id.n + 1;
}

void EventIds::set_ms(std::int64_t ms) {
    ms_ = ms;
    n_ = 0;
    text_.clear();
    append_number(ms, text_);
    text_.push_back('-');
    prefix_ = text_.size();
}

} // namespace sse
