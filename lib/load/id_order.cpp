#include "load/id_order.hpp"

#include <algorithm>
#include <charconv>

namespace sse {

namespace {

/// A number that takes all of `text`.
std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
    return value;
}

} // namespace

/// A pair is two numbers separated by a hyphen: a time in milliseconds, and a counter within the
/// millisecond.
IdOrder::Parsed IdOrder::parse(std::string_view id) {
    constexpr unsigned second_bits = 20;
    const auto begin = std::min(id.find_first_of("0123456789"), id.size());
    const auto prefix = id.substr(0, begin);
    const auto number = id.substr(begin);
    if (const auto value = whole_number(number); value && *value < ~std::uint64_t{0} / 2)
        return {prefix, Form::number, *value + 1};
    const auto hyphen = number.find('-');
    if (hyphen != number.npos) {
        const auto first = whole_number(number.substr(0, hyphen));
        const auto second = whole_number(number.substr(hyphen + 1));
        if (first && second && *first >> (63 - second_bits) == 0 && *second >> second_bits == 0)
            return {prefix, Form::pair, (*first << second_bits | *second) + 1};
    }
    return {{}, Form::text, 0};
}

std::optional<EventPlace> IdOrder::place_of(std::string_view id) {
    if (form_ == Form::text) return 0;
    const auto parsed = parse(id);
    if (form_ == Form::unknown) {
        form_ = parsed.form;
        prefix_ = parsed.prefix;
    }
    if (parsed.form != form_ || parsed.prefix != prefix_) return std::nullopt;
    return parsed.place;
}

} // namespace sse
