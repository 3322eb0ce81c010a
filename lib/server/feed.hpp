// What one connection sends after its head: bytes of a response body that come over time. Not the
// connection: it owns no socket, never blocks, and knows no timer.
#pragma once

#include "protocol/chunked.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Names of what is broken on purpose, to test a client.
using Faults = std::vector<std::string_view>;

/// A source of body bytes, already in the framing of its connection (all but the last chunk, which
/// the connection writes when `ended`). Owned by its connection, used on that connection's loop
/// thread only.
class Feed {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~Feed() = default;
    /// Called once, before anything else. `wake` may be called from then on, on the loop's thread,
    /// whenever there is something new to gather or the feed has ended; it may gather at once.
    virtual void attach(std::function<void()> wake) = 0;
    /// Fills `out` with views of what may be sent by `now`, in order, and returns how many. The
    /// views stay valid until the next call of a member of this Feed.
    virtual std::size_t gather(Clock::time_point now, std::span<std::string_view> out) = 0;
    /// The first `bytes` of what was gathered have been taken by the socket.
    virtual void consume(std::size_t bytes) = 0;
    /// All that there will ever be has been consumed.
    virtual bool ended() const = 0;
    /// When to gather again though nobody wakes; nullopt: only when woken.
    virtual std::optional<Clock::time_point> due() const { return std::nullopt; }
    /// Called about once a second (more often if the server was asked to), for what need not be on
    /// time: heartbeats. May wake.
    virtual void tick(Clock::time_point /*now*/) {}
    /// The connection is to be cut without an end (no last chunk; `reset`: RST rather than FIN).
    enum class Cut { no, close, reset };
    virtual Cut cut() const { return Cut::no; }
    /// What it has sent so far, for those who keep count.
    struct StreamCounts {
        std::uint64_t events = 0, missed = 0;
        std::string last_id; ///< of the last event sent whole; "" if there is none, or it is gone
        Faults faults = {};  ///< that have struck
    };
    virtual StreamCounts counts() const { return {}; }
};

} // namespace sse
