#include "cmd/bench/event_time.hpp"

#include "base/posix.hpp"
#include "base/rfc3339.hpp"

#include <charconv>
#include <cmath>

namespace cmd {

std::optional<std::chrono::nanoseconds> parse_event_time(const std::string& text) {
    using std::chrono::nanoseconds;
    if (const auto time = sse::parse_rfc3339(text)) return nanoseconds(*time);
    // A whole number exactly: a double has no nanoseconds since 1970.
    const auto* const end = text.data() + text.size();
    std::int64_t whole = 0;
    const auto read = std::from_chars(text.data(), end, whole);
    const bool exact = read.ec == std::errc() && read.ptr == end;
    double number = static_cast<double>(whole);
    if (!exact) {
        const auto [stop, error] = sse::parse_double(text.data(), end, number);
        if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
    }
    if (!std::isfinite(number) || number < 0 || number > 9e18) return std::nullopt;
    // Until the year 5138, seconds are fewer than 1e11; before 1973, milliseconds are, too.
    const std::int64_t unit = number < 1e11   ? 1'000'000'000
                              : number < 1e14 ? 1'000'000
                              : number < 1e17 ? 1'000
                                              : 1;
    if (exact && number * static_cast<double>(unit) < 9e18) return nanoseconds(whole * unit);
    const auto ns = number * static_cast<double>(unit);
    if (ns > 9e18) return std::nullopt;
    return nanoseconds(static_cast<std::int64_t>(ns));
}

} // namespace cmd
