#include "playback/playback_clock.hpp"

#include <algorithm>
#include <type_traits>

namespace sse {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

/// 126 years. Two of these and a time point still fit into 64 bits.
constexpr nanoseconds longest{4'000'000'000'000'000'000};

/// Whole nanoseconds, from 0 to `longest`.
nanoseconds clamped(long double ns) {
    if (!(ns > 0)) return nanoseconds(0);
    if (ns >= static_cast<long double>(longest.count())) return longest;
    return nanoseconds(static_cast<std::int64_t>(ns));
}

} // namespace

PlaybackClock::PlaybackClock(const PlaybackTiming& timing, microseconds base)
    : timing_(timing)
    , base_(base)
    , last_(base)
    , random_(timing.seed) {}

long double PlaybackClock::played(long double recorded_ns) const {
    return recorded_ns / static_cast<long double>(timing_.speed);
}

PlaybackClock::Clock::time_point PlaybackClock::due(microseconds t) {
    if (!timing_.wait) return *start_;
    const auto ns = [](auto time) {
        return static_cast<long double>(time.count()) *
               (std::is_same_v<decltype(time), microseconds> ? 1000 : 1);
    };
    nanoseconds at{0};
    if (timing_.interval) {
        at = clamped(played(ns(*timing_.interval) * static_cast<long double>(records_++)));
    } else {
        if (timing_.max_gap) {
            shortened_ns_ += std::min(played(ns(t) - ns(last_)), ns(*timing_.max_gap));
            last_ = t;
        }
        at = clamped(timing_.max_gap ? shortened_ns_ : played(ns(t) - ns(base_)));
    }
    if (const auto jitter = clamped(ns(timing_.jitter)).count(); jitter > 0) {
        const auto delay = random_.below(static_cast<std::uint64_t>(jitter) + 1);
        at = std::min(longest, at + nanoseconds(static_cast<std::int64_t>(delay)));
    }
    if (const auto step = clamped(ns(timing_.coalesce)); step.count() > 0)
        at = std::min(longest, (at + step - nanoseconds(1)) / step * step);
    latest_ = std::max(latest_, at);
    return *start_ + latest_;
}

} // namespace sse
