#include "playback/playback_driver.hpp"

namespace sse {

PlaybackStep PlaybackDriver::step(Clock::time_point until) {
    using Kind = PlaybackStep::Kind;
    const bool grows =
        playback_.grows(); // asked before reading: what is written later is not missed
    const auto* record = playback_.peek(until);
    const auto now = now_();
    if (record == nullptr) {
        if (playback_.searching()) return {Kind::search, nullptr, now};
        if (!grows) return {Kind::end, nullptr, now};
        return {Kind::wait, nullptr, now + poll_interval};
    }
    const auto due = playback_.due(now);
    return {due > now ? Kind::wait : Kind::send, record, due};
}

} // namespace sse
