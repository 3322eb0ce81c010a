#include "http/playback_handler.hpp"

#include "http/percent.hpp"
#include "protocol/error.hpp"
#include "recording/mask.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sse {

namespace {

/// Fields of a recorded head that are not about the stream: of one hop (RFC 9110, 7.6.1), of the
/// framing, of the coding that was taken off, of the origin's policy on who may read, of other
/// servers to go to, and those that a proxy or server writes anew.
constexpr std::array<std::string_view, 18> own_fields = {"connection",
                                                         "keep-alive",
                                                         "proxy-connection",
                                                         "proxy-authenticate",
                                                         "proxy-authorization",
                                                         "te",
                                                         "trailer",
                                                         "transfer-encoding",
                                                         "upgrade",
                                                         "content-length",
                                                         "content-encoding",
                                                         "content-type",
                                                         "date",
                                                         "server",
                                                         "alt-svc",
                                                         "strict-transport-security",
                                                         "vary",
                                                         "set-cookie"};

bool goes_out(std::string_view name, std::string_view value) {
    if (value == mask_text) return false; // it says only that there was one
    if (name.size() >= 15 && same_name(name.substr(0, 15), "access-control-")) return false;
    return std::none_of(own_fields.begin(), own_fields.end(),
                        [&](std::string_view own) { return same_name(own, name); });
}

bool holds(const RecordedFields& fields, std::string_view name) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return same_name(field.first, name); });
}

Answer plain(int status, std::string text) {
    Answer answer;
    answer.status = status;
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = std::move(text);
    return answer;
}

std::string asked_id(const Request& request) {
    if (const auto id = request.head.find("Last-Event-ID"); id && !id->empty())
        return std::string(*id);
    return query_value(request.query, "last_event_id").value_or("");
}

/// True if nothing that a client could see follows.
bool is_over(Playback& playback) {
    for (;; playback.take()) {
        const auto* record = playback.peek();
        if (record == nullptr) return true;
        if (!std::holds_alternative<RecordedOpen>(record->what) &&
            !std::holds_alternative<RecordedClose>(record->what)) {
            return false;
        }
    }
}

} // namespace

PlaybackHandler::PlaybackHandler(std::string path, PlaybackHandlerOptions options,
                                 PlaybackReports reports)
    : path_(std::move(path))
    , options_(std::move(options))
    , reports_(std::move(reports))
    , header_(RecordingReader(path_, options_.playback.reader).header()) {}

Answer PlaybackHandler::answer(const Request& request, std::size_t) {
    const auto& recorded = header_.request.method;
    const bool head_only = request.method == "HEAD";
    if (request.method != "GET" && !head_only && (recorded.empty() || request.method != recorded)) {
        const auto allowed = recorded.empty() || recorded == "GET" || recorded == "HEAD"
                                 ? std::string("GET, HEAD")
                                 : fmt::format("GET, HEAD, {}", recorded);
        auto refusal = plain(405, fmt::format("this recording is played to {}\n", allowed));
        refusal.headers.emplace_back("Allow", allowed);
        return refusal;
    }
    auto answer = head();
    if (head_only) return answer;
    try {
        play(request, answer);
    } catch (const Error& e) {
        reports_.failed(e);
        return plain(500, "the recording cannot be read\n");
    }
    return answer;
}

Answer PlaybackHandler::head() const {
    Answer answer;
    answer.status = header_.response.status != 0 ? header_.response.status : 200;
    answer.content_type = "text/event-stream";
    RecordedFields fields = options_.headers;
    for (const auto& [name, value] : header_.response.headers) {
        if (same_name(name, "content-type")) answer.content_type = value;
        else if (goes_out(name, value) && !holds(options_.headers, name))
            fields.emplace_back(name, value);
    }
    if (!holds(fields, "Cache-Control"))
        fields.emplace_back("Cache-Control", "no-store, no-transform");
    if (!holds(fields, "X-Accel-Buffering")) fields.emplace_back("X-Accel-Buffering", "no");
    answer.headers = std::move(fields);
    return answer;
}

void PlaybackHandler::play(const Request& request, Answer& answer) const {
    const auto& options = options_.playback;
    const auto id = asked_id(request);
    if (id.empty()) {
        answer.feed = std::make_unique<PlaybackFeed>(std::make_unique<Playback>(path_, options),
                                                     request.framing, reports_);
        return;
    }
    auto search = std::make_unique<IdSearch>(path_, id, options.reader);
    if (!search->step(Feed::Clock::now() + options_.search_time)) {
        answer.feed = std::make_unique<PlaybackFeed>(std::move(search), path_, options,
                                                     request.framing, reports_);
        return;
    }
    auto playback = std::make_unique<Playback>(path_, options, search->found());
    if (search->found() && is_over(*playback)) {
        answer = Answer{};
        answer.status = 204;
        return;
    }
    auto feed = std::make_unique<PlaybackFeed>(std::move(playback), request.framing, reports_);
    if (!search->found()) {
        feed->tell_gap();
        answer.headers.emplace_back("Sse-Gap", "true");
    }
    answer.feed = std::move(feed);
}

} // namespace sse
