// Whether a peer has stopped accepting bytes. Pure: what the socket reports and the time are passed
// in.
#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

namespace sse {

/// What counts is the last time that the peer acknowledged a byte of what waits for it. Not when
/// the socket last accepted some: that may be long ago for a slow peer, or now for one that has
/// vanished; and TCP_USER_TIMEOUT also ends a peer that reads little at a time.
class StallDetector {
public:
    using Clock = std::chrono::steady_clock;

    /// To be called every tick. `sent`: bytes that the socket has accepted in all. `queued()`: how
    /// many of them the peer has not acknowledged. `blocked`: more bytes wait for the socket. True
    /// once the peer has acknowledged none of what waits for `timeout`.
    template <class Queued>
    bool stalled(Clock::time_point now, std::uint64_t sent, Queued queued, bool blocked,
                 std::chrono::milliseconds timeout) {
        if (!blocked && sent == acknowledged_) return false;
        const std::uint64_t waiting = queued();
        const bool had_everything = std::exchange(last_sent_, sent) == acknowledged_;
        const bool progress =
            std::exchange(acknowledged_, sent - waiting) != sent - waiting || had_everything;
        if (progress) deadline_ = now + timeout;
        return (blocked || waiting > 0) && now >= deadline_;
    }

private:
    Clock::time_point deadline_{};
    std::uint64_t last_sent_ = 0, acknowledged_ = 0; ///< at the last call that looked
};

} // namespace sse
