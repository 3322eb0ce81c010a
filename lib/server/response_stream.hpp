// The stream phase of one connection: its feed, the end of its framing, its timer, and when it must
// end. Not the sending (Sender), not the request phase (ServerConnection).
#pragma once

#include "server/feed.hpp"
#include "server/stall_detector.hpp"

#include <asio/basic_waitable_timer.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string_view>
#include <utility>

namespace sse {

/// Owned by its connection, used on its loop's thread only.
class ResponseStream {
public:
    using Clock = Feed::Clock;

    /// `expires`: when the stream is to be ended; time_point::max(): never.
    ResponseStream(std::unique_ptr<Feed> feed, Framing framing, Clock::time_point expires)
        : feed_(std::move(feed))
        , expires_(expires)
        , framing_(framing) {}

    Feed& feed() { return *feed_; }
    /// The stream is old enough to be ended, at the next point where all of it has been sent.
    bool expired(Clock::time_point now) const { return now >= expires_; }
    /// A client that never takes everything: it is cut after `patience` more.
    bool overdue(Clock::time_point now, std::chrono::milliseconds patience) const {
        return expires_ != Clock::time_point::max() && now >= expires_ + patience;
    }
    /// It has expired: its feed is not sent any more.
    void set_ending() { ending_ = true; }
    bool ending() const { return ending_; }
    /// What ends the body: the last chunk, once; "" after that, and for a body that the end of the
    /// connection ends.
    std::string_view end_of_body() {
        return framing_ == Framing::chunked && !std::exchange(body_ended_, true)
                   ? last_chunk
                   : std::string_view();
    }
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

    StallDetector stall;

private:
    using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>,
                                             asio::io_context::executor_type>;
    std::unique_ptr<Feed> feed_;
    std::unique_ptr<Timer> timer_; ///< for feeds that have a clock of their own
    Clock::time_point expires_;
    Framing framing_;
    bool ending_ = false, body_ended_ = false;
};

} // namespace sse
