#include "check/time_stamp.hpp"

#include "base/rfc3339.hpp"

#include <charconv>
#include <cmath>
#include <string>

namespace sse::checks {

namespace {

/// Only this much of the start of an event is searched, because a time is usually there.
constexpr std::size_t searched_bytes = 4096;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_near(double time, double now) { return std::fabs(time - now) < 24 * 3600; }

/// The digits at the start of `text`.
std::string_view leading_digits(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    return text.substr(0, n);
}

std::uint64_t number(std::string_view digits) {
    std::uint64_t value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

/// The time that begins at the start of `text`, whose first character is a digit.
std::optional<double> time_at(std::string_view text) {
    const auto whole = leading_digits(text);
    if (whole.size() == 13) return static_cast<double>(number(whole)) / 1e3;
    if (whole.size() == 16) return static_cast<double>(number(whole)) / 1e6;
    const auto rest = text.substr(whole.size());
    if (whole.size() == 10 && !rest.starts_with('.')) return static_cast<double>(number(whole));
    if (whole.size() == 10) {
        const auto fraction = leading_digits(rest.substr(1)).substr(0, 9);
        if (fraction.size() < 2) return std::nullopt;
        return static_cast<double>(number(whole)) +
               static_cast<double>(number(fraction)) /
                   std::pow(10.0, static_cast<double>(fraction.size()));
    }
    if (whole.size() == 4 && rest.starts_with('-')) {
        const auto end = text.find_first_of("Z+-\"", 19);
        if (end == text.npos) return std::nullopt;
        const auto size = text[end] == '+' || text[end] == '-' ? end + 6 : end + 1;
        if (const auto time = parse_rfc3339(std::string(text.substr(0, size))))
            return static_cast<double>(time->count()) / 1e6;
    }
    return std::nullopt;
}

} // namespace

std::optional<double> find_time(std::string_view text, double now) {
    text = text.substr(0, searched_bytes);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (!is_digit(text[at])) continue;
        if (const auto time = time_at(text.substr(at)); time && is_near(*time, now)) return time;
        at += leading_digits(text.substr(at)).size();
    }
    return std::nullopt;
}

} // namespace sse::checks
