#include "handlers/channel_handler.hpp"

#include "base/percent.hpp"
#include "handlers/publish_handler.hpp"
#include "handlers/resume.hpp"
#include "handlers/viewer_page.hpp"
#include "protocol/encoder.hpp"

#include <utility>

namespace sse {

ChannelHandler::ChannelHandler(ChannelRouteOptions options, Channels& channels, std::size_t loops)
    : options_(std::move(options))
    , channels_(channels) {
    for (std::size_t loop = 0; loop < loops; ++loop)
        json_.push_back(std::make_unique<JsonEventReader>());
}

void ChannelHandler::tick(std::size_t loop) {
    for (const auto& [name, channel] : channels_.all()) channel->shard(loop).measure_lag();
    if (loop == 0 && options_.channels) channels_.forget_idle(Channels::Clock::now());
}

Response ChannelHandler::respond(const Request& request, std::size_t loop) {
    const bool here = options_.channels || request.path == options_.path;
    if (request.target != "*" && !here) return text_response(404, "no stream at this path\n");
    const bool reads = request.method == "GET" || request.method == "HEAD";
    const bool publishes = request.method == "POST" && options_.publish;
    if (!reads && !publishes) return methods(request);
    if (reads && wants_page(request)) return viewer_page();
    const auto channel = channels_.open(request.path);
    if (!channel) {
        auto response =
            text_response(503, "there is no room for another channel, or its name is too long\n");
        response.headers.emplace_back("Retry-After", "60");
        return response;
    }
    if (publishes) return publish(request, *channel, *json_[loop]);
    return stream(request, channel, loop);
}

Response ChannelHandler::methods(const Request& request) const {
    const std::string allowed =
        options_.publish ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS";
    auto response = request.method == "OPTIONS"
                        ? Response{204, {}, "", "", nullptr}
                        : text_response(405, "the methods are " + allowed + "\n");
    response.headers.emplace_back("Allow", allowed);
    return response;
}

Response ChannelHandler::stream(const Request& request, const std::shared_ptr<Channel>& channel,
                                std::size_t loop) const {
    const auto id = last_event_id(request);
    if (has_received_all(channel->shard(loop), id)) {
        if (on_stream_end) on_stream_end(true);
        return stop_reconnecting();
    }
    Response response;
    response.content_type = "text/event-stream";
    response.headers = {{"Cache-Control", "no-store, no-transform"},
                        {"Vary", page_vary},
                        {"X-Accel-Buffering", "no"}, // makes nginx send events at once
                        {"X-Content-Type-Options", "nosniff"}};
    if (request.method == "HEAD") return response;
    auto feed = std::make_unique<ChannelFeed>(channel, loop, request.framing, id,
                                              options_.keepalive, on_stream_end);
    auto& subscriber = feed->subscriber();
    if (const auto retry = channel->retry()) {
        std::string block;
        encode_retry(*retry, block);
        subscriber.prepend(block);
    }
    if (subscriber.gap()) {
        mark_gap(response);
        subscriber.prepend_gap(
            " gap: the last event ID is not in the history; the stream starts at the oldest event",
            std::nullopt);
    }
    response.feed = std::move(feed);
    return response;
}

} // namespace sse
