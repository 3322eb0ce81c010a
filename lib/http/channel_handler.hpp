// The routes of `sse serve`: a channel on a path. Not a server: it is asked, and answers.
#pragma once

#include "http/channel_feed.hpp"
#include "http/handler.hpp"
#include "hub/channel.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace sse {

struct ChannelRouteOptions {
    /// Where the stream is.
    std::string path = "/";
    /// A comment after so much silence, so that no proxy takes the stream for dead (HTML 9.2.7).
    std::chrono::milliseconds keepalive{15'000};
};

/// Answers on loops' threads; the channel has one shard for each.
class ChannelHandler : public Handler {
public:
    ChannelHandler(ChannelRouteOptions options, Channel& channel)
        : options_(std::move(options))
        , channel_(channel) {}

    Answer answer(const Request& request, std::size_t loop) override;

    /// Called on a loop's thread when a stream has gone. Set before the server runs.
    ChannelFeed::OnGone on_gone;

private:
    Answer stream(const Request& request, Shard& shard) const;

    ChannelRouteOptions options_;
    Channel& channel_;
};

} // namespace sse
