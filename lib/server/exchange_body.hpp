// The body of a request that an Exchange answers: handed on as it arrives, while the response is
// already being sent. Not the connection: it reads no socket and sends nothing.
#pragma once

#include "server/connection_stats.hpp"
#include "server/exchange.hpp"
#include "server/request_phase.hpp"

#include <chrono>
#include <string_view>

namespace sse {

/// Owned by its connection, used on its loop's thread only. The calls of its exchange may end the
/// stream, which calls detach(); it is destroyed after they have returned.
class ExchangeBody {
public:
    using Clock = Feed::Clock;

    /// `timeout`: the longest time between two pieces of the body. The others must outlive it, but
    /// `exchange` only until detach().
    ExchangeBody(Exchange& exchange, RequestPhase& requests, ConnectionStats& stats,
                 std::chrono::milliseconds timeout);

    /// False: what the client sends is to be left to the kernel for now.
    bool wants_bytes() const { return ended_ || exchange_->wants_body(); }
    /// Bytes behind the head of the request: its body, then the next request, which is kept as sent
    /// ahead (RequestPhase). A body that is malformed or too large is an error of the exchange.
    void on_bytes(std::string_view bytes);
    /// Called every tick. `paused`: nothing is read from the client, so that no time is counted.
    /// True: the body has taken too long, and the exchange was told.
    bool has_timed_out(Clock::time_point now, bool paused);
    /// The exchange has ended, and the connection may be used for another request.
    bool keeps_connection() const {
        return exchange_->keeps_connection() && requests_.has_whole_body();
    }
    /// The exchange is not used any more.
    void detach() { exchange_ = nullptr; }

private:
    Exchange* exchange_; ///< nullptr: detached
    RequestPhase& requests_;
    ConnectionStats& stats_;
    const std::chrono::milliseconds timeout_;
    Clock::time_point deadline_; ///< of the next piece
    bool ended_ = false;         ///< the exchange knows that there is no more
};

} // namespace sse
