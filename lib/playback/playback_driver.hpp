// Runs a playback step by step: which record is to be sent now, or how long to wait for the next
// one. It never waits itself; the caller waits as its thread or event loop allows.
#pragma once

#include "playback/playback.hpp"

#include <chrono>
#include <functional>
#include <utility>

namespace sse {

/// What the caller of PlaybackDriver::step() does next.
struct PlaybackStep {
    enum class Kind {
        send,   ///< send `record` now, then call Playback::advance()
        wait,   ///< call step() again at `when`
        search, ///< the time limit passed before the next record was found; call step() again
        end,    ///< the playback is complete
    };
    Kind kind;
    /// send, and wait for a record: that record, valid until Playback::advance(). Otherwise null.
    const Record* record = nullptr;
    /// send: when the record was due. wait: when to call again.
    Playback::Clock::time_point when{};
};

/// Owns nothing; one thread at a time.
class PlaybackDriver {
public:
    using Clock = Playback::Clock;
    /// How often a recording that is still being written is checked for new records.
    static constexpr std::chrono::milliseconds poll_interval{50};

    /// `playback` must outlive the driver. `now` returns the current time.
    explicit PlaybackDriver(Playback& playback, std::function<Clock::time_point()> now = Clock::now)
        : playback_(playback)
        , now_(std::move(now)) {}

    /// Looks for the next record, no longer than until `until`. The first record found starts the
    /// clock of the playback. Throws as Playback::peek().
    PlaybackStep step(Clock::time_point until = Clock::time_point::max());

private:
    Playback& playback_;
    std::function<Clock::time_point()> now_;
};

} // namespace sse
