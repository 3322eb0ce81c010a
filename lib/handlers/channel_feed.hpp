// The body of one client's stream: sends what the client's Subscriber gathers.
#pragma once

#include "hub/channel.hpp"
#include "server/feed.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace sse {

/// What keeps a silent stream open (HTML 9.2.7).
struct Keepalive {
    std::chrono::milliseconds after{}; ///< silence; 0: never
    std::string block;                 ///< event-stream text
};

/// Owned by its connection and used on its loop's thread, as every Feed.
class ChannelFeed final : public Feed {
public:
    /// Called when a feed is destroyed; `complete`: it sent everything to the end of its channel.
    using OnStreamEnd = std::function<void(bool complete)>;

    /// Subscribes to `channel` on loop `loop`, after the event `last_event_id` ("": where the
    /// channel says). `keepalive` and `on_stream_end` must outlive the feed.
    ChannelFeed(std::shared_ptr<Channel> channel, std::size_t loop, Framing framing,
                std::string_view last_event_id, const Keepalive& keepalive,
                const OnStreamEnd& on_stream_end);
    ~ChannelFeed() override;

    Subscriber& subscriber() { return subscriber_; }

    void attach(std::function<void()> wake) override;
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override { subscriber_.consume(bytes); }
    bool ended() const override { return subscriber_.ended(); }
    void tick(Clock::time_point now) override;
    StreamCounts counts() const override;
    Cut cut() const override { return subscriber_.overrun() ? Cut::close : Cut::no; }

private:
    std::shared_ptr<Channel> channel_; ///< keeps the subscriber's channel alive
    Subscriber subscriber_;
    const Keepalive& keepalive_;
    Clock::time_point last_sent_;
    const OnStreamEnd& on_stream_end_;
};

} // namespace sse
