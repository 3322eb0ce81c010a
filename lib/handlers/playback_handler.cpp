#include "handlers/playback_handler.hpp"

#include "base/error.hpp"
#include "base/mask.hpp"
#include "base/percent.hpp"
#include "base/trimmed.hpp"
#include "handlers/resume.hpp"
#include "net/socket.hpp"
#include "protocol/encoder.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sse {

namespace {

/// Fields of a recorded head that are not sent: those of one connection (RFC 9110, 7.6.1), of
/// framing and content coding, of the recorded server's policy and cookies, and those that a proxy
/// or server generates itself.
constexpr std::array<std::string_view, 18> unsent_fields = {"connection",
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

bool is_sent(std::string_view name, std::string_view value) {
    if (value == mask_text) return false; // the value is not known
    if (name.size() >= 15 && same_name(name.substr(0, 15), "access-control-")) return false;
    return std::none_of(unsent_fields.begin(), unsent_fields.end(),
                        [&](std::string_view own) { return same_name(own, name); });
}

/// These responses have no body (RFC 9110, 15.3.5 and 15.4.5).
bool has_no_body(int status) { return status == 204 || status == 304; }

bool holds(const RecordedFields& fields, std::string_view name) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return same_name(field.first, name); });
}

/// True if the playback sends no more bytes; false if `until` passes before that is known.
bool is_over(Playback& playback, Feed::Clock::time_point until) {
    for (;; playback.advance()) {
        const auto* record = playback.peek(until);
        if (record == nullptr) return !playback.searching();
        if (sends_bytes(*record, playback.format()) || Feed::Clock::now() >= until) return false;
    }
}

/// True if the record at `position` sets the ID `id`. False if the file was replaced meanwhile.
bool is_there(const std::string& file, const PlaybackPosition& position, const std::string& id,
              const PlaybackOptions& options) {
    try {
        const auto reader = open_recording(file, options.reader);
        reader->seek(position.place);
        const auto* record = reader->next();
        const auto own = record != nullptr ? id_of(*record) : std::nullopt;
        const auto lapped = position.lap > 1 ? parse_lapped_id(id, options.laps) : std::nullopt;
        return own && trimmed(*own) == (lapped ? lapped->id : id);
    } catch (const Error&) { // the position is no longer the start of a line
        return false;
    }
}

/// A playback sends what was recorded.
const Keepalive no_keepalive;

/// The faults that affect every stream from its start.
Faults constant_faults(const PlaybackHandlerOptions& options) {
    Faults names;
    const auto add = [&](bool there, std::string_view name) {
        if (there) names.push_back(name);
    };
    const auto& timing = options.playback.timing;
    add(options.faults.split != 0, "split");
    add(timing.coalesce.count() != 0, "coalesce");
    add(timing.jitter.count() != 0, "jitter");
    add(!options.playback.comments, "no-comments");
    add(options.faults.corrupt > 0, "corrupt");
    add(options.faults.wrong_type, "wrong-type");
    return names;
}

/// `report` for a failure of the same text once a minute: clients decide how often it happens.
std::function<void(const Error&)> once_a_minute(std::function<void(const Error&)> report) {
    struct Last {
        std::mutex mutex;
        std::string text;
        Feed::Clock::time_point time;
    };
    if (!report) return report;
    return [report = std::move(report), last = std::make_shared<Last>()](const Error& e) {
        const auto now = Feed::Clock::now();
        {
            const std::lock_guard lock(last->mutex);
            if (last->text == e.what() && now - last->time < std::chrono::minutes(1)) return;
            last->text = e.what();
            last->time = now;
        }
        report(e);
    };
}

} // namespace

PlaybackHandler::PlaybackHandler(const std::vector<std::string>& files,
                                 PlaybackHandlerOptions options, PlaybackReports reports)
    : options_(std::move(options))
    , reports_(std::move(reports))
    , routes_(files, options_.routes, options_.playback.reader) {
    for (const auto& file : files) {
        if (RecordingInput(file).size().value_or(0) >= IdSearch::large ||
            options_.playback.reader.growing)
            indexes_.try_emplace(file);
    }
    reports_.failed = once_a_minute(std::move(reports_.failed));
    reports_.sent = [this](std::uint64_t events) {
        sent_.fetch_add(events, std::memory_order_relaxed);
    };
}

void PlaybackHandler::share(Channels& channels) {
    channels_ = &channels;
    on_stream_end_ = [this](bool whole) {
        if (whole) reports_.played();
    };
    for (const auto& it : routes_.recordings()) {
        auto& shared = shared_[it.file];
        shared.channel = channels.open(it.file);
        if (!shared.channel)
            throw Error(Errc::too_large,
                        fmt::format("{}: too many recordings for --shared", it.file));
        auto playback = std::make_unique<Playback>(it.file, options_.playback);
        playback->find_start(Feed::Clock::time_point::max());
        shared.playback = std::make_unique<SharedPlayback>(
            std::move(playback), shared.channel, [this](const Error& e) { reports_.failed(e); });
    }
}

void PlaybackHandler::tick(std::size_t loop) {
    for (const auto& [file, shared] : shared_)
        shared.channel->shard(loop).tick(Shard::Clock::now());
}

/// Subscribes the client to the channel of a shared playback, as ChannelHandler does.
void PlaybackHandler::join_shared(const Request& request, const std::string& file,
                                  const std::string& id, std::size_t loop, Response& response) {
    auto& [channel, playback] = shared_[file];
    auto& shard = channel->shard(loop);
    if (has_received_all(shard, id)) {
        respond_complete(response);
        return;
    }
    auto feed = std::make_unique<ChannelFeed>(channel, loop, request.framing, id, no_keepalive,
                                              on_stream_end_);
    if (feed->subscriber().gap()) mark_gap(response);
    const bool is_text = stream_format(response.content_type) == StreamFormat::event_stream;
    if (feed->subscriber().gap() && is_text) {
        std::string comment;
        encode_comment(" gap: the last event ID is no longer available", comment);
        feed->subscriber().prepend(comment);
    }
    response.feed = std::move(feed);
    playback->start();
}

/// Responds 204: the client has received the whole stream, and stops reconnecting (HTML 9.2.1).
void PlaybackHandler::respond_complete(Response& response) const {
    response = stop_reconnecting();
    reports_.played();
}

std::string PlaybackHandler::position() const {
    if (!show_position) return {};
    std::chrono::microseconds t{0};
    std::string file;
    for (const auto& [name, shared] : shared_) {
        if (shared.playback->position() <= t) continue;
        t = shared.playback->position();
        file = name;
    }
    if (channels_ == nullptr) {
        const std::lock_guard lock(mutex_);
        if (newest_position_)
            t = std::chrono::microseconds(newest_position_->load(std::memory_order_relaxed));
        file = newest_file_;
    }
    return file.empty() ? "waiting" : show_position(t, file);
}

ChannelCounts PlaybackHandler::counts() const {
    if (channels_ != nullptr) return channels_->counts();
    ChannelCounts counts;
    counts.events = counts.deliveries = sent_.load(std::memory_order_relaxed);
    return counts;
}

std::optional<Response> PlaybackHandler::refuse(const Request& head) {
    if (options_.faults.status != 0) return std::nullopt; // counts requests; see respond()
    return routes_.refuse_head(head);
}

Response PlaybackHandler::respond(const Request& request, std::size_t loop) {
    const auto& faults = options_.faults;
    if (faults.status != 0 && request.method != "HEAD" &&
        requests_.fetch_add(1, std::memory_order_relaxed) < faults.status_times) {
        auto refusal = has_no_body(faults.status)
                           ? Response{faults.status, {}, "", "", nullptr}
                           : text_response(faults.status, "simulated by --status\n");
        refusal.headers.emplace_back("Retry-After", std::to_string(faults.retry_after));
        refusal.faults.emplace_back("status");
        return refusal;
    }
    const auto id = last_event_id(request);
    Response response;
    const auto until = Feed::Clock::now() + options_.search_time;
    const auto holds_id = [&](const RoutedRecording& it) {
        IdSearch search(it.file, id, options_.playback.laps, options_.playback.reader);
        return search.step(until) && search.found();
    };
    const auto* recording = routes_.find(request, !id.empty(), response, holds_id);
    if (recording == nullptr) return response;
    response = head(recording->header);
    const bool whole = has_no_body(response.status); // even if events were recorded
    if (whole) response.content_type.clear();
    if (request.method == "HEAD") {
        response.streams = !whole;
        return response;
    }
    if (whole) {
        reports_.played();
        return response;
    }
    response.faults = constant_faults(options_);
    if (channels_ != nullptr) {
        join_shared(request, recording->file, id, loop, response);
        return response;
    }
    try {
        play(recording->file, id, request.framing, response);
    } catch (const Error& e) {
        reports_.failed(e);
        if (!out_of_descriptors()) return text_response(500, "the recording cannot be read\n");
        auto busy =
            text_response(503, "the server has no file descriptor left\n", Refusal::descriptors);
        busy.headers.emplace_back("Retry-After", "5");
        return busy;
    }
    return response;
}

Response PlaybackHandler::head(const RecordingHeader& header) const {
    Response response;
    response.status = header.response.status >= 200 ? header.response.status : 200;
    const bool known = header.exact && header.response.status != 0; // it may have had no type
    if (!known) response.content_type = "text/event-stream; charset=utf-8";
    RecordedFields fields = options_.headers;
    for (const auto& [name, value] : header.response.headers) {
        if (same_name(name, "content-type")) response.content_type = value;
        else if (is_sent(name, value) && !holds(options_.headers, name))
            fields.emplace_back(name, value);
    }
    if (!holds(fields, "Cache-Control"))
        fields.emplace_back("Cache-Control", "no-store, no-transform");
    if (!holds(fields, "X-Accel-Buffering")) fields.emplace_back("X-Accel-Buffering", "no");
    for (const auto& [name, value] : options_.headers) {
        if (same_name(name, "content-type")) response.content_type = value;
    }
    std::erase_if(fields, [](const auto& it) { return same_name(it.first, "content-type"); });
    if (options_.faults.wrong_type) response.content_type = "text/html";
    response.headers = std::move(fields);
    return response;
}

void PlaybackHandler::play(const std::string& file, const std::string& id, Framing framing,
                           Response& response) {
    const auto& options = options_.playback;
    const auto indexed = indexes_.find(file);
    auto* const index = indexed == indexes_.end() ? nullptr : &indexed->second;
    std::shared_ptr<std::atomic<std::int64_t>> shown;
    if (show_position) {
        shown = std::make_shared<std::atomic<std::int64_t>>(0);
        const std::lock_guard lock(mutex_);
        newest_position_ = shown;
        newest_file_ = file;
    }
    const auto feed_of = [&](auto playback) {
        auto feed =
            std::make_unique<PlaybackFeed>(std::move(playback), framing, options_.faults, reports_);
        if (index != nullptr) feed->add_ids_to(*index);
        feed->report_position_in(shown);
        return feed;
    };
    const auto until = Feed::Clock::now() + options_.search_time;
    if (id.empty()) {
        auto playback = std::make_unique<Playback>(file, options);
        playback->find_start(until);
        response.feed = feed_of(std::move(playback));
        return;
    }
    auto found = index != nullptr ? index->find(id) : std::nullopt;
    if (found && !is_there(file, *found, id, options)) found.reset();
    if (!found) {
        auto search = std::make_unique<IdSearch>(file, id, options.laps, options.reader);
        if (!search->step(until)) {
            auto feed = std::make_unique<PlaybackFeed>(std::move(search), file, options, framing,
                                                       options_.faults, reports_);
            if (index != nullptr) feed->add_ids_to(*index);
            feed->report_position_in(shown);
            response.feed = std::move(feed);
            return;
        }
        found = search->found();
    }
    auto playback = std::make_unique<Playback>(file, options, found);
    const bool grows = options.reader.grows();
    playback->find_start(until);
    if (found && is_over(*playback, until) && (!grows || playback->finished())) {
        respond_complete(response);
        return;
    }
    auto feed = feed_of(std::move(playback));
    if (!found) {
        feed->announce_gap();
        mark_gap(response);
    }
    response.feed = std::move(feed);
}

} // namespace sse
