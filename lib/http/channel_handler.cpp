#include "http/channel_handler.hpp"

#include "http/percent.hpp"
#include "protocol/encoder.hpp"

#include <utility>

namespace sse {

namespace {

Answer plain(int status, std::string body) {
    Answer answer;
    answer.status = status;
    answer.content_type = "text/plain";
    answer.body = std::move(body);
    return answer;
}

/// The header, or for a page's first request, which cannot set one, the query.
std::string last_event_id(const Request& request) {
    if (const auto header = request.head.find("Last-Event-ID")) return std::string(*header);
    return query_value(request.query, "last_event_id").value_or("");
}

std::string comment(std::string_view text) {
    std::string block;
    encode_comment(text, block);
    return block;
}

} // namespace

Answer ChannelHandler::answer(const Request& request, std::size_t loop) {
    if (request.path != options_.path && request.target != "*") {
        return plain(404, "no stream here\n");
    }
    if (request.method == "GET" || request.method == "HEAD")
        return stream(request, channel_.shard(loop));
    auto answer =
        request.method == "OPTIONS" ? plain(204, "") : plain(405, "only GET, HEAD and OPTIONS\n");
    if (answer.status == 204) answer.content_type.clear();
    answer.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
    return answer;
}

Answer ChannelHandler::stream(const Request& request, Shard& shard) const {
    const auto id = last_event_id(request);
    auto& history = shard.history();
    if (shard.ended() && !id.empty()) {
        const auto found = history.find(id);
        if (found && *found >= history.last(1))
            return {204, {}, "", "", nullptr}; // HTML 9.2.1: it stops
    }
    Answer answer;
    answer.content_type = "text/event-stream";
    answer.headers = {{"Cache-Control", "no-store, no-transform"},
                      {"X-Accel-Buffering", "no"}, // nginx would hold events back
                      {"X-Content-Type-Options", "nosniff"}};
    if (request.method == "HEAD") return answer;
    auto feed =
        std::make_unique<ChannelFeed>(shard, request.framing, id, options_.keepalive, on_gone);
    auto& subscriber = feed->subscriber();
    if (const auto retry = channel_.retry()) {
        std::string block;
        encode_retry(*retry, block);
        subscriber.say(block);
    }
    if (subscriber.gap()) {
        answer.headers.emplace_back("Sse-Gap", "true");
        subscriber.say(comment(
            " gap: the id to resume after is not in the history; this starts at its oldest event"));
    }
    answer.feed = std::move(feed);
    return answer;
}

} // namespace sse
