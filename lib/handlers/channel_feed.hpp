// A channel's subscriber as the body of one response: Subscriber -> Feed.
#pragma once

#include "hub/channel.hpp"
#include "server/feed.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace sse {

/// See Feed for threads and lifetimes.
class ChannelFeed final : public Feed {
public:
    /// Called when a feed goes; `whole`: it has sent everything to the end of its channel.
    using OnGone = std::function<void(bool whole)>;

    /// `keepalive`: a comment after so much silence (HTML 9.2.7), 0 for none. `on_gone` must
    /// outlive the feed.
    ChannelFeed(std::shared_ptr<Channel> channel, std::size_t loop, Framing framing,
                std::string_view last_event_id, std::chrono::milliseconds keepalive,
                const OnGone& on_gone);
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
    std::shared_ptr<Channel> channel_; ///< the subscriber's
    Subscriber subscriber_;
    std::function<void()> wake_;
    std::chrono::milliseconds keepalive_;
    Clock::time_point last_;
    const OnGone& on_gone_;
};

} // namespace sse
