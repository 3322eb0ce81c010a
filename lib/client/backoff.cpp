#include "client/backoff.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace sse {

Backoff::Backoff(BackoffOptions options, std::function<double()> random)
    : options_(options)
    , random_(std::move(random)) {
    set_reconnection_time(options_.reconnection_time);
}

void Backoff::set_reconnection_time(milliseconds time) {
    reconnection_time_ =
        std::clamp(time, options_.min_wait, std::max(options_.min_wait, options_.max_server_wait));
}

Backoff::milliseconds Backoff::after_failure(std::optional<milliseconds> retry_after) {
    constexpr int most_doublings = 20; // enough to exceed every ceiling
    failures_ = std::min(failures_ + 1, most_doublings);
    const auto ceiling = std::max(reconnection_time_, options_.retry_max);
    const auto spread =
        std::min(ceiling, reconnection_time_ * (std::int64_t{1} << failures_)) - reconnection_time_;
    const auto jitter =
        milliseconds(static_cast<std::int64_t>(random_() * static_cast<double>(spread.count())));
    const auto wait = reconnection_time_ + jitter;
    return retry_after ? std::max(wait, std::min(*retry_after, options_.max_server_wait)) : wait;
}

namespace {

/// A number of exactly `count` digits at `at`.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    int value = 0;
    for (std::size_t i = at; i < at + count; ++i) {
        if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`; the two obsolete forms are not sent by anything alive.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
    static constexpr std::array<std::string_view, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || text.substr(3, 2) != ", " || !text.ends_with(" GMT"))
        return std::nullopt;
    const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
    const auto day = digits(text, 5, 2), year = digits(text, 12, 4);
    const auto hour = digits(text, 17, 2), minute = digits(text, 20, 2),
               second = digits(text, 23, 2);
    if (month == months.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
    const std::chrono::year_month_day date{
        std::chrono::year(*year),
        std::chrono::month(static_cast<unsigned>(month - months.begin() + 1)),
        std::chrono::day(static_cast<unsigned>(*day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second);
}

} // namespace

std::optional<std::chrono::milliseconds>
parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now) {
    using std::chrono::milliseconds;
    if (!value.empty() &&
        std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        std::int64_t seconds = 0;
        for (const char c : value)
            seconds = std::min<std::int64_t>(seconds * 10 + (c - '0'), 1'000'000'000);
        return milliseconds(seconds * 1000);
    }
    const auto date = parse_http_date(value);
    if (!date) return std::nullopt;
    return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(*date - now));
}

} // namespace sse
