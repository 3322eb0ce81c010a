// The body of a streaming response: bytes that become available over time. Not the connection: it
// owns no socket and no timer, and never blocks.
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

/// Names of faults that are injected on purpose, to test a client.
using Faults = std::vector<std::string_view>;

/// A source of body bytes, already in the framing of its connection (all but the last chunk, which
/// the connection writes when `ended`). Owned by its connection, used on that connection's loop
/// thread only.
class Feed {
public:
    using Clock = std::chrono::steady_clock;

    virtual ~Feed() = default;
    /// Called once, before anything else. From then on the feed calls `wake` on the loop's thread
    /// whenever there is something new to gather, or it has ended; `wake` may call gather().
    virtual void attach(std::function<void()> wake) = 0;
    /// Fills `out` with views of what may be sent by `now`, in order, and returns how many. The
    /// views stay valid until the next call of a member of this Feed.
    virtual std::size_t gather(Clock::time_point now, std::span<std::string_view> out) = 0;
    /// The socket has accepted the first `bytes` of what was gathered.
    virtual void consume(std::size_t bytes) = 0;
    /// Everything has been consumed, and nothing will follow.
    virtual bool ended() const = 0;
    /// When to gather again without a wake; nullopt: only when woken.
    virtual std::optional<Clock::time_point> due() const { return std::nullopt; }
    /// Called every tick of the server, for what need not be on time: heartbeats. May wake.
    virtual void tick(Clock::time_point /*now*/) {}
    /// The connection is to be closed without an end of the body (`reset`: by RST, not FIN).
    enum class Cut { no, close, reset };
    virtual Cut cut() const { return Cut::no; }
    /// What it has sent so far.
    struct StreamCounts {
        std::uint64_t events = 0, missed = 0;
        std::string last_id; ///< of the last event sent whole; "" if it has none
        Faults faults = {};  ///< injected so far
        int status = 0;      ///< of the response; 0: not known here, as its head was sent before
    };
    virtual StreamCounts counts() const { return {}; }
};

} // namespace sse
