#include "base/rfc3339.hpp"

#include <cstdint>
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

} // namespace sse
