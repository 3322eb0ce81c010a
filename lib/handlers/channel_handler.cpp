#include "handlers/channel_handler.hpp"

#include "base/percent.hpp"
#include "handlers/resume.hpp"
#include "handlers/viewer_page.hpp"
#include "protocol/encoder.hpp"

#include <random>
#include <utility>

namespace sse {

namespace {

/// Tells the client the ID to resume with before it has received an event. Needless where it would
/// start with the same event again.
void prepend_position(Subscriber& subscriber, const Start& start) {
    if (start.at == Start::At::oldest && subscriber.next() == 0) return;
    const auto id = subscriber.position_id();
    if (id.empty()) return;
    std::string block;
    encode_id(id, block);
    subscriber.prepend(block);
}

/// What keeps a silent stream open.
std::string keepalive_block(const std::string& event_type) {
    if (event_type.empty()) return ":\n\n";
    std::string block;
    encode({event_type, "", std::nullopt}, block);
    return block;
}

} // namespace

ChannelHandler::ChannelHandler(ChannelRouteOptions options, Channels& channels, std::size_t loops)
    : options_(std::move(options))
    , keepalive_{options_.keepalive, keepalive_block(options_.keepalive_event)}
    , channels_(channels) {
    for (std::size_t loop = 0; loop < loops; ++loop) {
        json_.push_back(std::make_unique<JsonEventReader>());
        random_.emplace_back(std::random_device{}());
    }
}

void ChannelHandler::tick(std::size_t loop) {
    const auto now = Shard::Clock::now();
    for (const auto& [name, channel] : channels_.all()) channel->shard(loop).tick(now);
    if (loop == 0 && options_.channels) channels_.forget_idle(Channels::Clock::now());
}

std::optional<Response> ChannelHandler::refuse(const Request& head) {
    const bool here = options_.channels || head.path == options_.path;
    if (head.target != "*" && !here) return text_response(404, "no stream at this path\n");
    const bool reads = head.method == "GET" || head.method == "HEAD";
    const bool publishes = head.method == "POST" && options_.publish;
    return reads || publishes ? std::nullopt : std::optional(methods(head));
}

Response ChannelHandler::respond(const Request& request, std::size_t loop) {
    if (auto refusal = refuse(request)) return std::move(*refusal);
    const bool publishes = request.method == "POST";
    if (!publishes && wants_page(request)) return viewer_page();
    const auto channel =
        channels_.open(request.path, publishes ? Channels::Use::publish : Channels::Use::read);
    if (!channel) {
        auto response =
            text_response(503, "there is no room for another channel, or its name is too long\n");
        response.headers.emplace_back("Retry-After", "60");
        return response;
    }
    if (publishes && !channels_.make_room(request.body.size())) {
        auto response = text_response(503, "the histories of all channels are full\n");
        response.headers.emplace_back("Retry-After", "60");
        return response;
    }
    if (publishes) return publish(request, *channel, options_.publish_as, *json_[loop]);
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

std::optional<std::chrono::milliseconds> ChannelHandler::retry_for_client(const Channel& channel,
                                                                          std::size_t loop) {
    if (const auto retry = channel.retry()) return retry;
    if (!options_.retry) return std::nullopt;
    const auto spread = options_.retry->most - options_.retry->least;
    return options_.retry->least + std::chrono::milliseconds(random_[loop].below(
                                       static_cast<std::uint64_t>(spread.count()) + 1));
}

Response ChannelHandler::stream(const Request& request, const std::shared_ptr<Channel>& channel,
                                std::size_t loop) {
    const auto id = last_event_id(request);
    if (has_received_all(channel->shard(loop), id)) {
        if (on_stream_end) on_stream_end(true);
        return stop_reconnecting();
    }
    Response response;
    // Without it some clients decode text/* as ISO-8859-1 (RFC 2616, 3.7.1).
    response.content_type = "text/event-stream; charset=utf-8";
    response.headers = {{"Cache-Control", "no-store, no-transform"},
                        {"Vary", page_vary},
                        {"X-Accel-Buffering", "no"}, // makes nginx send events at once
                        {"X-Content-Type-Options", "nosniff"}};
    for (const auto& [name, value] : options_.headers) {
        std::erase_if(response.headers,
                      [&field = name](const auto& own) { return same_name(own.first, field); });
        if (same_name(name, "Content-Type")) response.content_type = value;
    }
    for (const auto& field : options_.headers) {
        if (!same_name(field.first, "Content-Type")) response.headers.push_back(field);
    }
    if (request.method == "HEAD") return response;
    auto feed = std::make_unique<ChannelFeed>(channel, loop, request.framing, id, keepalive_,
                                              on_stream_end);
    auto& subscriber = feed->subscriber();
    if (const auto retry = retry_for_client(*channel, loop)) {
        std::string block;
        encode_retry(*retry, block);
        subscriber.prepend(block);
    }
    if (subscriber.gap()) {
        mark_gap(response);
        subscriber.prepend_gap();
    }
    if ((id.empty() || subscriber.gap()) && !subscriber.seeking())
        prepend_position(subscriber, channel->options().start);
    // Some proxies send the head on with the first bytes behind it.
    if (!subscriber.has_more()) subscriber.prepend(":\n\n");
    response.feed = std::move(feed);
    return response;
}

} // namespace sse
