// The body of one client's stream of several channels.
#pragma once

#include "handlers/channel_feed.hpp"

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// The IDs that the events of several channels have in one stream: `NAME=ID&NAME=ID`,
/// percent-encoded, with the last ID of each channel. The channel of the event is named first.
/// Names: IDs; empty for an `id` that has not this form.
std::map<std::string, std::string> parse_channels_id(std::string_view id);

/// Sends the events of several channels as they come, each with an ID that resumes all of them. It
/// copies events, as their IDs must be written for this client: a stream costs more than one of a
/// single channel. Owned by its connection and used on its loop's thread, as every Feed.
class ChannelsFeed final : public Feed {
public:
    struct Source {
        std::string name; ///< as the client gave it
        std::shared_ptr<Channel> channel;
    };
    /// `last_event_id`: of a former stream, or "". `keepalive` and `on_stream_end` must outlive the
    /// feed.
    ChannelsFeed(std::vector<Source> sources, std::size_t loop, Framing framing,
                 std::string_view last_event_id, const Keepalive& keepalive,
                 const ChannelFeed::OnStreamEnd& on_stream_end);
    ~ChannelsFeed() override;

    /// One of the last event IDs is not held.
    bool gap() const;
    /// Sends `block`, whole lines of event-stream text, before the next event.
    void prepend(std::string_view block);
    /// Sends the ID to resume with, where it is known.
    void prepend_position();
    /// There is something to send.
    bool has_more() const;

    void attach(std::function<void()> wake) override;
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override;
    void tick(Clock::time_point now) override;
    StreamCounts counts() const override;
    Cut cut() const override;

private:
    struct Part {
        std::string name; ///< percent-encoded
        std::string id;   ///< the last one, percent-encoded; "": none yet
        std::shared_ptr<Channel> channel;
        std::unique_ptr<Subscriber> subscriber;
    };
    void fill();
    bool take(Part& part);
    std::string id(const Part& first) const;

    std::vector<Part> parts_;
    std::size_t turn_ = 0; ///< the part whose event is next
    const Framing framing_;
    std::string pending_; ///< framed; of which `sent_` bytes were sent
    std::size_t sent_ = 0;
    std::string last_id_;
    std::function<void()> wake_;
    const Keepalive& keepalive_;
    Clock::time_point last_sent_;
    const ChannelFeed::OnStreamEnd& on_stream_end_;
};

} // namespace sse
