// Sends what a connection has to send: bytes of its own (heads, the last chunk), then its feed's.
#pragma once

#include "net/transport.hpp"
#include "server/feed.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sse {

/// Used on its connection's loop only.
class Sender {
public:
    /// Adds bytes to send before the feed's.
    void add(std::string_view bytes) { own_.append(bytes); }

    enum class Outcome {
        all_sent,     ///< the socket has accepted everything that there is now
        blocked,      ///< the socket accepts no more: send again when it is writable
        cut,          ///< the feed wants the connection to be cut
        disconnected, ///< by the peer
        timed_out,    ///< the peer did not acknowledge for too long
    };
    struct Result {
        Outcome outcome;
        std::size_t bytes; ///< that the socket has accepted
    };
    /// Sends until there is no more, or the socket accepts no more. `feed` may be nullptr.
    Result send(Transport& transport, Feed* feed, Feed::Clock::time_point now);

    /// The same in two steps, where the bytes are sent together with those of other connections:
    /// the next piece of the feed as it is to be sent, or "" if there is not exactly one. It is in
    /// `sealed` if it must be encrypted. Neither that nor `feed` may change before sent().
    std::string_view prepare(Transport& transport, Feed& feed, Feed::Clock::time_point now,
                             std::string& sealed);
    /// What came of sending all of `prepared`.
    Result sent(Transport& transport, Feed& feed, std::string_view prepared,
                const Transfer& transfer);

private:
    void consume(std::size_t bytes, Feed* feed);

    std::string own_;
    std::size_t own_sent_ = 0;
    std::size_t piece_ = 0; ///< bytes of the feed that are prepared
};

} // namespace sse
