// The stream phase of one connection: its feed, the end of its framing, its timer, and when it must
// end. Not the sending (Sender), not the request phase (ServerConnection).
#pragma once

#include "base/random.hpp"
#include "server/feed.hpp"
#include "server/stall_detector.hpp"

#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace sse {

class Transport;

/// Owned by its connection, used on its loop's thread only.
class ResponseStream {
public:
    using Clock = Feed::Clock;

    /// When a stream that begins `now` is to be ended, with `most` as the maximum stream time: up
    /// to a tenth of it earlier, so that the clients do not come back together. time_point::max():
    /// never, as for a `most` of 0.
    static Clock::time_point expiry(Clock::time_point now, std::chrono::milliseconds most,
                                    SeededRandom& random);

    /// `expires`: see expiry().
    ResponseStream(std::unique_ptr<Feed> feed, Framing framing, Clock::time_point expires)
        : feed_(std::move(feed))
        , expires_(expires)
        , framing_(framing) {}

    Feed& feed() { return *feed_; }
    enum class Timeout : std::uint8_t {
        none,
        stalled, ///< the client has accepted no byte for the stall timeout
        expired, ///< the stream is to be ended: everything so far has been sent
        overdue, ///< it has not been sent, for the stall timeout after the stream expired
    };
    /// Called every tick. `blocked`: more bytes wait for the socket.
    Timeout timeout(Clock::time_point now, Transport& transport, bool blocked,
                    std::chrono::milliseconds stall_timeout);
    /// It has expired: its feed is not sent any more.
    void set_ending() { ending_ = true; }
    bool ending() const { return ending_; }
    /// What ends the body: the last chunk, once; "" after that, and for a body that the end of the
    /// connection ends.
    std::string_view end_of_body();
    /// Calls `wake` on the loop when the feed is due, if it ever is without being woken.
    template <class Wake>
    void arm_timer(asio::io_context& context, Wake wake) {
        const auto due = feed_->due();
        if (!due) return;
        if (!timer_) timer_ = std::make_unique<Timer>(context.get_executor());
        timer_->expires_at(*due);
        timer_->async_wait([wake = std::move(wake)](const std::error_code& error) {
            if (!error) wake();
        });
    }
    void cancel_timer() {
        if (timer_) timer_->cancel();
    }

private:
    using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>,
                                             asio::io_context::executor_type>;
    std::unique_ptr<Feed> feed_;
    std::unique_ptr<Timer> timer_; ///< for feeds that have a clock of their own
    Clock::time_point expires_;
    StallDetector stall_;
    Framing framing_;
    bool ending_ = false, body_ended_ = false;
};

} // namespace sse
