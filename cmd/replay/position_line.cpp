#include "cmd/replay/position_line.hpp"

#include "base/error.hpp"
#include "cmd/cli/duration.hpp"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>

namespace cmd {

namespace {

/// Whole seconds from 10 s on, so that the line does not flicker.
std::string short_time(std::chrono::microseconds t) {
    using namespace std::chrono;
    t = std::min<microseconds>(t, hours(24 * 36'500)); // what a duration can show
    if (t >= seconds(10)) return format_duration(floor<seconds>(t));
    const auto tenths = floor<milliseconds>(t).count() / 100;
    return tenths % 10 == 0 ? fmt::format("{}s", tenths / 10)
                            : fmt::format("{}.{}s", tenths / 10, tenths % 10);
}

} // namespace

std::optional<std::chrono::microseconds> PlaybackLengths::length_of(const std::string& file) {
    const std::lock_guard lock(mutex_);
    const auto [at, is_new] = known_.try_emplace(file);
    if (!is_new || file == "-" || options_.reader.growing) return at->second;
    try {
        sse::Playback playback(file, options_);
        const auto length = playback.reader().input().random_access()
                                ? playback.length()
                                : std::chrono::microseconds(0);
        const auto laps = std::max<std::uint64_t>(1, options_.laps);
        constexpr auto most = static_cast<std::uint64_t>(std::chrono::microseconds::max().count());
        if (length.count() > 0 && laps <= most / static_cast<std::uint64_t>(length.count()))
            at->second = length * static_cast<std::int64_t>(laps);
    } catch (const sse::Error&) { // the playback reports it
    }
    return at->second;
}

std::string position_text(std::chrono::microseconds t,
                          std::optional<std::chrono::microseconds> length,
                          const sse::PlaybackTiming& timing) {
    auto text = short_time(t);
    if (length && length->count() > 0) {
        text += fmt::format(
            " of {} ({}%)", short_time(*length),
            static_cast<int>(std::min(100.0, 100.0 * static_cast<double>(t.count()) /
                                                 static_cast<double>(length->count()))));
    }
    if (!timing.wait) return text + ", without waiting";
    if (timing.speed != 1) text += fmt::format(", speed {}", timing.speed);
    return text;
}

} // namespace cmd
