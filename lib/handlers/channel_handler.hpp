// The routes of `sse serve`: a channel on one path, or one on every path.
#pragma once

#include "base/random.hpp"
#include "handlers/channel_feed.hpp"
#include "handlers/publish_handler.hpp"
#include "handlers/reread_feed.hpp"
#include "hub/channels.hpp"
#include "input/json_event.hpp"
#include "server/handler.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sse {

struct ChannelRouteOptions {
    /// The path of the stream, without `channels`.
    std::string path = "/";
    /// Time without an event after which a comment is sent, so that proxies keep the connection
    /// open (HTML 9.2.7); 0: never.
    std::chrono::milliseconds keepalive{15'000};
    /// Type of an event with empty data that is sent instead of that comment, for pages, which
    /// cannot see comments; "": a comment.
    std::string keepalive_event;
    /// The reconnection time of clients where neither the input nor a publisher sets one: a random
    /// time in this range for each, so that they do not all return at once.
    struct RetryRange {
        std::chrono::milliseconds least, most;
    };
    std::optional<RetryRange> retry;
    /// Header fields of every stream, instead of our own of the same name.
    std::vector<std::pair<std::string, std::string>> headers;
    /// A POST publishes its body.
    bool publish = false;
    PublishAs publish_as = PublishAs::type;
    /// With a log: a publication that is not stored after this long is answered with 503.
    std::chrono::milliseconds store_timeout{2'000};
    /// Every path is a channel of its own, created on the first request for it. A request that
    /// names channels in its query gets all of them in one stream.
    bool channels = false;
    /// Channels of one stream: its IDs name them all, and must fit a request head.
    std::size_t max_channels_of_stream = 32;
};

/// Called on the threads of all loops.
class ChannelHandler : public Handler {
public:
    /// `channels` must outlive the handler.
    ChannelHandler(ChannelRouteOptions options, Channels& channels, std::size_t loops);

    std::optional<Response> refuse(const Request& head) override;
    Response respond(const Request& request, std::size_t loop) override;
    void tick(std::size_t loop) override;

    /// Called on a loop's thread when a stream closes, and when a client that resumes has received
    /// everything already. Set it before the server runs.
    ChannelFeed::OnStreamEnd on_stream_end;
    /// Reads the input again, on loop `loop`, for a client whose last event ID the history no
    /// longer holds (see RereadFeed). Empty: it cannot be read again. Set it before the server
    /// runs.
    std::function<std::unique_ptr<FileReading>(std::size_t loop, std::string last_event_id,
                                               std::function<void()> wake)>
        start_reading;

private:
    Response stream(const Request& request, const std::shared_ptr<Channel>& channel,
                    std::size_t loop);
    Response stream_of(const std::vector<std::string>& names, const Request& request,
                       std::size_t loop);
    std::unique_ptr<ChannelFeed> feed_of(const std::shared_ptr<Channel>& channel, std::size_t loop,
                                         Framing framing, std::string_view last_event_id,
                                         std::string_view first);
    Response stream_head() const;
    /// The block with the reconnection time for one client; "" if there is none.
    std::string retry_block(const Channel& channel, std::size_t loop);
    /// The response to OPTIONS and to methods that are not allowed.
    Response methods(const Request& request) const;

    const ChannelRouteOptions options_;
    const Keepalive keepalive_;
    Channels& channels_;
    std::vector<std::unique_ptr<JsonEventReader>> json_;      ///< by loop
    std::vector<SeededRandom> random_;                        ///< by loop
    std::vector<std::unique_ptr<StoredPublications>> stored_; ///< by loop
};

} // namespace sse
