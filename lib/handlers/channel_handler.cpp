#include "handlers/channel_handler.hpp"

#include "base/percent.hpp"
#include "handlers/channels_feed.hpp"
#include "handlers/resume.hpp"
#include "handlers/viewer_page.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sse {

namespace {

/// What keeps a silent stream open.
std::string keepalive_block(const std::string& event_type) {
    if (event_type.empty()) return ":\n\n";
    std::string block;
    encode({event_type, "", std::nullopt}, block);
    return block;
}

Response no_room() {
    auto response =
        text_response(503, "no more channels can be created, or the channel name is too long\n");
    response.headers.emplace_back("Retry-After", "60");
    return response;
}

} // namespace

ChannelHandler::ChannelHandler(ChannelRouteOptions options, Channels& channels, std::size_t loops)
    : options_(std::move(options))
    , keepalive_{options_.keepalive, keepalive_block(options_.keepalive_event)}
    , channels_(channels) {
    for (std::size_t loop = 0; loop < loops; ++loop) {
        json_.push_back(std::make_unique<JsonEventReader>());
        random_.emplace_back(random_bits());
        stored_.push_back(std::make_unique<StoredPublications>(loop, options_.store_timeout));
    }
}

void ChannelHandler::tick(std::size_t loop) {
    const auto now = Shard::Clock::now();
    for (const auto& [name, channel] : channels_.all()) channel->shard(loop).tick(now);
    stored_[loop]->tick(now);
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
    if (!publishes && options_.channels) {
        const auto names = query_values(request.query, "channel");
        if (!names.empty()) return stream_of(names, request, loop);
    }
    const auto channel =
        channels_.open(request.path, publishes ? Channels::Use::publish : Channels::Use::read);
    if (!channel) return no_room();
    if (publishes && !channels_.make_room(request.body.size())) {
        auto response = text_response(503, "the histories of all channels are full\n");
        response.headers.emplace_back("Retry-After", "60");
        return response;
    }
    if (publishes)
        return publish(request, *channel, options_.publish_as, *json_[loop], *stored_[loop]);
    return stream(request, channel, loop);
}

Response ChannelHandler::methods(const Request& request) const {
    const std::string allowed =
        options_.publish ? "GET, HEAD, OPTIONS, POST" : "GET, HEAD, OPTIONS";
    auto response = request.method == "OPTIONS"
                        ? Response{204, {}, "", "", nullptr}
                        : text_response(405, "the allowed methods are " + allowed + "\n");
    response.headers.emplace_back("Allow", allowed);
    return response;
}

std::string ChannelHandler::retry_block(const Channel& channel, std::size_t loop) {
    auto retry = channel.retry();
    if (!retry && options_.retry) {
        const auto spread = options_.retry->most - options_.retry->least;
        retry = options_.retry->least + std::chrono::milliseconds(random_[loop].below(
                                            static_cast<std::uint64_t>(spread.count()) + 1));
    }
    std::string block;
    if (retry) encode_retry(*retry, block);
    return block;
}

Response ChannelHandler::stream(const Request& request, const std::shared_ptr<Channel>& channel,
                                std::size_t loop) {
    const auto id = last_event_id(request);
    if (has_received_all(channel->shard(loop), id)) {
        if (on_stream_end) on_stream_end(true);
        return stop_reconnecting();
    }
    auto response = stream_head();
    response.streams = true;
    if (request.method == "HEAD") return response;
    const auto retry = retry_block(*channel, loop);
    auto& shard = channel->shard(loop);
    if (start_reading && !id.empty() && !shard.find(id) && id != shard.start_id()) {
        response.feed = std::make_unique<RereadFeed>(
            channel, loop, request.framing, id, retry + ":\n\n", keepalive_,
            [this, loop](std::string last_event_id, std::function<void()> wake) {
                return start_reading(loop, std::move(last_event_id), std::move(wake));
            },
            [this, channel, loop, framing = request.framing](std::string_view last_event_id) {
                return feed_of(channel, loop, framing, last_event_id, {});
            });
        return response;
    }
    auto feed = feed_of(channel, loop, request.framing, id, retry);
    auto& subscriber = feed->subscriber();
    if (subscriber.gap()) mark_gap(response);
    // Some proxies send the head on with the first bytes behind it.
    if (!subscriber.has_more()) subscriber.prepend(":\n\n");
    response.feed = std::move(feed);
    return response;
}

/// The feed of one channel, with the blocks that its client is sent first.
std::unique_ptr<ChannelFeed> ChannelHandler::feed_of(const std::shared_ptr<Channel>& channel,
                                                     std::size_t loop, Framing framing,
                                                     std::string_view last_event_id,
                                                     std::string_view first) {
    auto feed = std::make_unique<ChannelFeed>(channel, loop, framing, last_event_id, keepalive_,
                                              on_stream_end);
    auto& subscriber = feed->subscriber();
    if (!first.empty()) subscriber.prepend(first);
    if (subscriber.gap()) subscriber.prepend_gap();
    if ((last_event_id.empty() || subscriber.gap()) && !subscriber.seeking())
        subscriber.prepend_position();
    return feed;
}

/// The channels that the query of `request` names, relative to its path, in one stream.
Response ChannelHandler::stream_of(const std::vector<std::string>& names, const Request& request,
                                   std::size_t loop) {
    const auto most = options_.max_channels_of_stream;
    if (names.size() > most) {
        return text_response(
            400, fmt::format("a stream has at most {} channels, not {}\n", most, names.size()));
    }
    const auto folder = request.path.ends_with('/') ? request.path : request.path + '/';
    std::vector<ChannelsFeed::Source> sources;
    for (const auto& name : names) {
        if (name.empty()) return text_response(400, "a channel without a name\n");
        const auto is_same = [&](const auto& source) { return source.name == name; };
        if (std::any_of(sources.begin(), sources.end(), is_same)) continue;
        const auto bare = std::string_view(name).substr(name.starts_with('/') ? 1 : 0);
        auto channel = channels_.open(folder + std::string(bare), Channels::Use::read);
        if (!channel) return no_room();
        sources.push_back({name, std::move(channel)});
    }
    const auto id = last_event_id(request);
    auto ids = parse_channels_id(id);
    const bool done = std::all_of(sources.begin(), sources.end(), [&](const auto& source) {
        return has_received_all(source.channel->shard(loop), ids[source.name]);
    });
    if (done) {
        if (on_stream_end) on_stream_end(true);
        return stop_reconnecting();
    }
    auto response = stream_head();
    response.streams = true;
    if (request.method == "HEAD") return response;
    const auto retry = retry_block(*sources.front().channel, loop);
    auto feed = std::make_unique<ChannelsFeed>(std::move(sources), loop, request.framing, id,
                                               keepalive_, on_stream_end);
    if (!retry.empty()) feed->prepend(retry);
    if (feed->gap()) mark_gap(response);
    if (id.empty()) feed->prepend_position();
    if (!feed->has_more()) feed->prepend(":\n\n");
    response.feed = std::move(feed);
    return response;
}

Response ChannelHandler::stream_head() const {
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
    return response;
}

} // namespace sse
