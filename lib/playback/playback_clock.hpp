// Computes when each record of a playback is due. The time is passed in; this never waits.
#pragma once

#include "base/random.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace sse {

struct PlaybackTiming {
    /// How many times faster than recorded; above 0.
    double speed = 1;
    /// False: every record is due at once.
    bool wait = true;
    /// Longest pause of the playback. Shortening a pause moves all later records forward.
    std::optional<std::chrono::microseconds> max_gap;
    /// Fixed time between records, instead of the recorded times.
    std::optional<std::chrono::nanoseconds> interval;
    /// Maximum random delay of each record; the order does not change.
    std::chrono::microseconds jitter{0};
    /// Records are due at whole multiples of this time, as behind a buffering proxy; 0: no
    /// buffering.
    std::chrono::microseconds coalesce{0};
    /// Seed of the random numbers of `jitter`.
    std::uint64_t seed = 0;
};

/// The clock of one playback. A record is due at start + t / speed, whenever earlier records were
/// asked for, so errors do not accumulate. One thread at a time.
class PlaybackClock {
public:
    using Clock = std::chrono::steady_clock;

    /// `base` is the `t` of records that are due at the start.
    PlaybackClock(const PlaybackTiming& timing, std::chrono::microseconds base);
    void start(Clock::time_point now) { start_ = now; }
    bool started() const { return start_.has_value(); }
    /// Returns when the next record, with this `t`, is due. Call once for each record, in order,
    /// after start(). No record is due later than 126 years after the start.
    Clock::time_point due(std::chrono::microseconds t);

private:
    long double played(long double recorded_ns) const;

    PlaybackTiming timing_;
    std::chrono::microseconds base_, last_;
    long double shortened_ns_ = 0;       ///< time of the playback with max_gap
    std::chrono::nanoseconds latest_{0}; ///< latest due time so far, with jitter, since the start
    std::uint64_t records_ = 0;
    SeededRandom random_;
    std::optional<Clock::time_point> start_;
};

} // namespace sse
