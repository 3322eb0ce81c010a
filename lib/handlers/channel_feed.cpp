#include "handlers/channel_feed.hpp"

#include <utility>

namespace sse {

ChannelFeed::ChannelFeed(std::shared_ptr<Channel> channel, std::size_t loop, Framing framing,
                         std::string_view last_event_id, const Keepalive& keepalive,
                         const OnStreamEnd& on_stream_end)
    : channel_(std::move(channel))
    , subscriber_(channel_->shard(loop), framing, last_event_id)
    , keepalive_(keepalive)
    , last_sent_(Clock::now())
    , on_stream_end_(on_stream_end) {}

ChannelFeed::~ChannelFeed() {
    if (on_stream_end_) on_stream_end_(subscriber_.ended());
}

void ChannelFeed::attach(std::function<void()> wake) { subscriber_.on_wake(std::move(wake)); }

std::size_t ChannelFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    const auto count = subscriber_.gather(out);
    if (count > 0) last_sent_ = now;
    return count;
}

Feed::StreamCounts ChannelFeed::counts() const {
    return {subscriber_.delivered(), subscriber_.missed(), std::string(subscriber_.last_id())};
}

void ChannelFeed::tick(Clock::time_point now) {
    if (keepalive_.after.count() == 0 || now - last_sent_ < keepalive_.after) return;
    last_sent_ = now;
    subscriber_.prepend(keepalive_.block);
    subscriber_.wake();
}

} // namespace sse
