#include "cmd/bench/amounts.hpp"

#include "cmd/cli/duration.hpp"

#include <chrono>
#include <cmath>
#include <fmt/format.h>

namespace cmd {

std::string with_commas(std::uint64_t number) {
    auto text = fmt::to_string(number);
    for (auto at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
    return text;
}

std::string bytes_text(double bytes) {
    if (bytes < 10e3) return fmt::format("{:.0f} B", bytes);
    if (bytes < 10e6) return fmt::format("{:.1f} kB", bytes / 1e3);
    if (bytes < 10e9) return fmt::format("{:.1f} MB", bytes / 1e6);
    return fmt::format("{:.1f} GB", bytes / 1e9);
}

std::string rate_text(double number) {
    const auto size = std::abs(number);
    if (size >= 999.5)
        return (number < 0 ? "-" : "") +
               with_commas(static_cast<std::uint64_t>(std::llround(size)));
    return fmt::format("{:.{}f}", number, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

std::string seconds_text(double seconds) {
    if (seconds == 0) return "0s";
    return rough_duration(std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)));
}

} // namespace cmd
