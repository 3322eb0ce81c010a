#include "cmd/bench/bar.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"
#include "base/printable.hpp"
#include "base/trimmed.hpp"
#include "cmd/cli/duration.hpp"

#include <chrono>
#include <cmath>
#include <fmt/format.h>

namespace cmd {

namespace {

using Comparison = Bar::Comparison;

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
    throw sse::Error(sse::Errc::invalid_argument,
                     fmt::format("\"{}\" {}", sse::printable(text, 100), why));
}

Comparison comparison_of(char sign, bool or_equal) {
    if (sign == '=') return Comparison::equal;
    if (sign == '<') return or_equal ? Comparison::at_most : Comparison::less;
    return or_equal ? Comparison::at_least : Comparison::more;
}

/// The limit in `value`. A time must have a unit, because `250` could be in any unit.
double limit_of(std::string_view text, std::string_view value, Figure::Unit unit) {
    if (unit == Figure::Unit::seconds && value != "0") {
        const bool has_unit = value.ends_with('s') || value.ends_with('m') || value.ends_with('h');
        if (!has_unit) refuse(text, "needs a limit with a unit, such as 250ms");
        try {
            return std::chrono::duration<double>(parse_duration(value)).count();
        } catch (const sse::Error& e) {
            refuse(text, fmt::format("cannot be used: {}", e.what()));
        }
    }
    double number = 0;
    const auto* const end = value.data() + value.size();
    const auto [stop, error] = sse::parse_double(value.data(), end, number);
    if (value.empty() || error != std::errc() || stop != end || !std::isfinite(number))
        refuse(text, "needs a number as its limit");
    return number;
}

} // namespace

Bar parse_bar(std::string_view text) {
    const auto sign = text.find_first_of("<>=");
    if (sign == text.npos) refuse(text, "has no comparison: <, <=, =, >= or >");
    const bool doubled = sign + 1 < text.size() && text[sign + 1] == '=';
    Bar bar;
    bar.text = text;
    bar.figure = sse::trimmed(text.substr(0, sign));
    bar.comparison = comparison_of(text[sign], doubled);
    static const auto known = figures_of({});
    const auto* const figure = find_figure(known, bar.figure);
    if (figure == nullptr)
        refuse(text,
               fmt::format("names an unknown figure: \"{}\"", sse::printable(bar.figure, 60)));
    bar.limit = limit_of(text, sse::trimmed(text.substr(sign + (doubled ? 2 : 1))), figure->unit);
    return bar;
}

bool holds(const Bar& bar, const std::vector<Figure>& figures) {
    const auto* const figure = find_figure(figures, bar.figure);
    if (figure == nullptr || !figure->value) return false;
    const auto value = *figure->value;
    switch (bar.comparison) {
    case Comparison::less: return value < bar.limit;
    case Comparison::at_most: return value <= bar.limit;
    case Comparison::equal: return value == bar.limit;
    case Comparison::at_least: return value >= bar.limit;
    case Comparison::more: return value > bar.limit;
    }
    return false;
}

std::string told(const Bar& bar, const std::vector<Figure>& figures) {
    const auto* const figure = find_figure(figures, bar.figure);
    return fmt::format("{} is {}", bar.figure, figure ? shown(*figure) : "unknown");
}

} // namespace cmd
