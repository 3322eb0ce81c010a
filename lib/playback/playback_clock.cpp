#include "playback/playback_clock.hpp"

#include <algorithm>

namespace sse {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

PlaybackClock::PlaybackClock(const PlaybackTiming& timing, microseconds base)
    : timing_(timing)
    , base_(base)
    , last_(base)
    , random_(timing.seed) {}

nanoseconds PlaybackClock::played(nanoseconds recorded, std::int64_t times) const {
    constexpr double longest = 4e18; // 126 years in nanoseconds, which 64 bits can still add to now
    const auto time =
        static_cast<double>(recorded.count()) * static_cast<double>(times) / timing_.speed;
    return nanoseconds(static_cast<std::int64_t>(std::min(time, longest)));
}

PlaybackClock::Clock::time_point PlaybackClock::due(microseconds t) {
    if (!timing_.wait) return *start_;
    nanoseconds at{0};
    if (timing_.interval) {
        at = played(*timing_.interval, records_++);
    } else {
        if (timing_.max_gap) {
            skipped_ += std::max(nanoseconds(0), played(t - last_) - nanoseconds(*timing_.max_gap));
            last_ = t;
        }
        at = played(t - base_) - skipped_;
    }
    const auto jitter = static_cast<std::uint64_t>(nanoseconds(timing_.jitter).count());
    if (jitter > 0) at += nanoseconds(static_cast<std::int64_t>(random_.below(jitter + 1)));
    if (const nanoseconds step = timing_.coalesce; step.count() > 0) {
        at = (at + step - nanoseconds(1)) / step * step;
    }
    latest_ = std::max(latest_, at);
    return *start_ + latest_;
}

} // namespace sse
