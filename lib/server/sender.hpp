// What a connection has still to send: bytes of its own (heads, the last chunk), then what its feed
// gives.
#pragma once

#include "net/transport.hpp"
#include "server/feed.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace sse {

/// Not thread-safe: lives on its session's loop.
class Sender {
public:
    /// Bytes to send before the feed's.
    void add(std::string_view bytes) { own_.append(bytes); }

    enum class Outcome {
        all,     ///< the socket has taken everything that there is now
        blocked, ///< it takes no more: again when it is writable
        cut,     ///< the feed wants the connection to be cut
        gone,    ///< the peer is
        silent,  ///< the peer did not acknowledge for too long
    };
    struct Result {
        Outcome outcome;
        std::size_t bytes; ///< that have been taken
    };
    /// Sends until there is no more, or no more is taken. `feed` may be nullptr.
    Result send(Transport& transport, Feed* feed, Feed::Clock::time_point now);

private:
    void consume(std::size_t bytes, Feed* feed);

    std::string own_;
    std::size_t own_sent_ = 0;
};

} // namespace sse
