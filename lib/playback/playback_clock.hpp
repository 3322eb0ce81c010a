// When each record of a playing is due. Told the time; waits for nothing.
#pragma once

#include "base/random.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace sse {

struct PlaybackTiming {
    /// How many times faster than recorded; above 0.
    double speed = 1;
    /// False: everything is due at once.
    bool wait = true;
    /// No pause of the playing lasts longer; what is cut off a pause, all that follows comes
    /// earlier by.
    std::optional<std::chrono::microseconds> max_gap;
    /// Instead of the recorded times: from one record to the next.
    std::optional<std::chrono::nanoseconds> interval;
    /// Each record comes up to so much late; order is kept.
    std::chrono::microseconds jitter{0};
    /// Records gather and come at whole multiples of this, as through a proxy that buffers; 0: not.
    std::chrono::microseconds coalesce{0};
    /// Of the jitter's dice.
    std::uint64_t seed = 0;
};

/// The time of one playing: record k is due at start + t(k) / speed, whenever the ones before it
/// were asked for, so that no error adds up.
class PlaybackClock {
public:
    using Clock = std::chrono::steady_clock;

    /// `base` is the `t` that is due at the start.
    PlaybackClock(const PlaybackTiming& timing, std::chrono::microseconds base);
    void start(Clock::time_point now) { start_ = now; }
    bool started() const { return start_.has_value(); }
    /// When a record with that `t` is due. To be asked once for each record, in order, once
    /// started.
    Clock::time_point due(std::chrono::microseconds t);

private:
    std::chrono::nanoseconds played(std::chrono::nanoseconds recorded,
                                    std::int64_t times = 1) const;

    PlaybackTiming timing_;
    std::chrono::microseconds base_, last_;
    std::chrono::nanoseconds skipped_{0}; ///< playing time that max_gap took out
    std::chrono::nanoseconds latest_{0};  ///< of what has been given out, jitter and all
    std::int64_t records_ = 0;
    SeededRandom random_;
    std::optional<Clock::time_point> start_;
};

} // namespace sse
