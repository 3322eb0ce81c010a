#include "base/rfc3339.hpp"

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>

namespace sse {

void append_rfc3339(std::chrono::system_clock::time_point time, std::string& out) {
    using namespace std::chrono;
    thread_local sys_seconds known{seconds(-1)};
    thread_local std::string text; // of `known`
    const auto second = floor<seconds>(time);
    if (second != known) {
        const auto day = floor<days>(second);
        const year_month_day date(day);
        const hh_mm_ss clock(second - day);
        text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                           clock.hours().count(), clock.minutes().count(), clock.seconds().count());
        known = second;
    }
    const auto ms = duration_cast<milliseconds>(time - second).count();
    const auto digit = [](std::int64_t value) { return static_cast<char>('0' + value); };
    const char digits[] = {'.', digit(ms / 100), digit(ms / 10 % 10), digit(ms % 10), 'Z'};
    out.append(text).append(digits, sizeof digits);
}

std::string rfc3339(std::chrono::system_clock::time_point time) {
    std::string text;
    append_rfc3339(time, text);
    return text;
}

std::optional<std::chrono::microseconds> parse_rfc3339(const std::string& text) {
    std::tm date{};
    const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &date);
    if (rest == nullptr || date.tm_year < 70 || date.tm_year > 361) return std::nullopt;
    std::chrono::microseconds time = std::chrono::seconds(::timegm(&date));
    if (*rest == '.') {
        std::chrono::microseconds digit(100'000);
        for (++rest; *rest >= '0' && *rest <= '9'; ++rest, digit /= 10)
            time += digit * (*rest - '0');
    }
    int hours = 0, minutes = 0;
    char sign = 0;
    if (std::sscanf(rest, "%c%2d:%2d", &sign, &hours, &minutes) == 3) {
        const auto offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
        time += sign == '-' ? offset : -offset;
    } else if (rest[0] != 'Z' && rest[0] != 'z') {
        return std::nullopt;
    }
    return time;
}

} // namespace sse
