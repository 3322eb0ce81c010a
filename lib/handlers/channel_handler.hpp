// The routes of `sse serve`: channels on paths. Not a server: it is asked, and answers.
#pragma once

#include "handlers/channel_feed.hpp"
#include "hub/channels.hpp"
#include "input/json_event.hpp"
#include "server/handler.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace sse {

struct ChannelRouteOptions {
    /// Where the stream is.
    std::string path = "/";
    /// A comment after so much silence, so that no proxy takes the stream for dead (HTML 9.2.7).
    std::chrono::milliseconds keepalive{15'000};
    /// A POST publishes.
    bool publish = false;
    /// Every path is a channel of its own, made when it is first asked for.
    bool channels = false;
};

/// Answers on loops' threads; each channel has one shard for each.
class ChannelHandler : public Handler {
public:
    /// `channels` must outlive the handler.
    ChannelHandler(ChannelRouteOptions options, Channels& channels, std::size_t loops);

    Response respond(const Request& request, std::size_t loop) override;
    void tick(std::size_t loop) override;

    /// Called on a loop's thread when a stream has gone, or is asked for by one who has had it all.
    /// Set before the server runs.
    ChannelFeed::OnGone on_gone;

private:
    Response stream(const Request& request, const std::shared_ptr<Channel>& channel,
                    std::size_t loop) const;
    Response without_body(const Request& request) const;

    ChannelRouteOptions options_;
    Channels& channels_;
    std::vector<std::unique_ptr<JsonEventReader>> json_; ///< one for each loop
};

} // namespace sse
