#include "handlers/playback_handler.hpp"

#include "base/error.hpp"
#include "base/mask.hpp"
#include "base/trimmed.hpp"
#include "handlers/resume.hpp"
#include "http/percent.hpp"
#include "protocol/encoder.hpp"

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

/// Neither has a body, nor may have one (RFC 9110, 15.3.5 and 15.4.5).
bool has_no_body(int status) { return status == 204 || status == 304; }

bool holds(const RecordedFields& fields, std::string_view name) {
    return std::any_of(fields.begin(), fields.end(),
                       [&](const auto& field) { return same_name(field.first, name); });
}

/// True if nothing that a client could see follows; false if `until` comes before that is known.
bool is_over(Playback& playback, Feed::Clock::time_point until) {
    for (;; playback.take()) {
        const auto* record = playback.peek(until);
        if (record == nullptr) return !playback.looking();
        if (is_sent(*record) || Feed::Clock::now() >= until) return false;
    }
}

/// The record at `position` still sets that id: the file may be another one since.
bool is_there(const std::string& file, const PlaybackPosition& position, const std::string& id,
              const PlaybackOptions& options) {
    try {
        const auto reader = open_recording(file, options.reader);
        reader->seek(position.place);
        const auto* record = reader->next();
        const auto own = record != nullptr ? id_of(*record) : std::nullopt;
        const auto lapped = position.lap > 1 ? in_lap(id, options.laps) : std::nullopt;
        return own && trimmed(*own) == (lapped ? lapped->id : id);
    } catch (const Error&) { // nor is it a line any more
        return false;
    }
}

/// Those that are there all the time.
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
                        fmt::format("{}: too many recordings for one clock", it.file));
        auto playback = std::make_unique<Playback>(it.file, options_.playback);
        playback->find_start(Feed::Clock::time_point::max());
        shared.playback = std::make_unique<SharedPlayback>(
            std::move(playback), shared.channel, [this](const Error& e) { reports_.failed(e); });
    }
}

void PlaybackHandler::tick(std::size_t loop) {
    for (const auto& [file, shared] : shared_) shared.channel->shard(loop).measure_lag();
}

/// As ChannelHandler does, behind the recorded head.
void PlaybackHandler::join(const Request& request, const std::string& file, const std::string& id,
                           std::size_t loop, Response& response) {
    auto& [channel, playback] = shared_[file];
    auto& shard = channel->shard(loop);
    if (has_received_all(shard, id)) {
        stop(response);
        return;
    }
    auto feed = std::make_unique<ChannelFeed>(channel, loop, request.framing, id,
                                              std::chrono::milliseconds(0), on_stream_end_);
    if (feed->subscriber().gap()) {
        mark_gap(response);
        std::string comment;
        encode_comment(" gap: the id to resume after is not among the last ones played", comment);
        feed->subscriber().prepend(comment);
    }
    response.feed = std::move(feed);
    playback->start();
}

/// It has had all, and is told not to come back (HTML 9.2.1).
void PlaybackHandler::stop(Response& response) const {
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
        if (shown_) t = std::chrono::microseconds(shown_->load(std::memory_order_relaxed));
        file = shown_file_;
    }
    return file.empty() ? "waiting" : show_position(t, file);
}

ChannelCounts PlaybackHandler::counts() const {
    if (channels_ != nullptr) return channels_->counts();
    ChannelCounts counts;
    counts.events = counts.deliveries = sent_.load(std::memory_order_relaxed);
    return counts;
}

Response PlaybackHandler::respond(const Request& request, std::size_t loop) {
    const auto& faults = options_.faults;
    if (faults.status != 0 && request.method != "HEAD" &&
        requests_.fetch_add(1, std::memory_order_relaxed) < faults.status_times) {
        auto refusal = has_no_body(faults.status)
                           ? Response{faults.status, {}, "", "", nullptr}
                           : text_response(faults.status, "as --status asks\n");
        refusal.headers.emplace_back("Retry-After", std::to_string(faults.retry_after));
        refusal.faults.emplace_back("status");
        return refusal;
    }
    const auto id = last_event_id(request);
    Response response;
    const auto* recording = routes_.find(request, !id.empty(), response);
    if (recording == nullptr) return response;
    response = head(recording->header);
    const bool whole = has_no_body(response.status); // whatever was recorded behind it
    if (whole) response.content_type.clear();
    if (request.method == "HEAD") return response;
    if (whole) {
        reports_.played();
        return response;
    }
    response.faults = constant_faults(options_);
    if (channels_ != nullptr) {
        join(request, recording->file, id, loop, response);
        return response;
    }
    try {
        play(recording->file, id, request.framing, response);
    } catch (const Error& e) {
        reports_.failed(e);
        return text_response(500, "the recording cannot be read\n");
    }
    return response;
}

Response PlaybackHandler::head(const RecordingHeader& header) const {
    Response response;
    response.status = header.response.status >= 200 ? header.response.status : 200;
    response.content_type = "text/event-stream";
    RecordedFields fields = options_.headers;
    for (const auto& [name, value] : header.response.headers) {
        if (same_name(name, "content-type")) response.content_type = value;
        else if (goes_out(name, value) && !holds(options_.headers, name))
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
        shown_ = shown;
        shown_file_ = file;
    }
    const auto feed_of = [&](auto playback) {
        auto feed =
            std::make_unique<PlaybackFeed>(std::move(playback), framing, options_.faults, reports_);
        if (index != nullptr) feed->remember_in(*index);
        feed->show_in(shown);
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
            if (index != nullptr) feed->remember_in(*index);
            feed->show_in(shown);
            response.feed = std::move(feed);
            return;
        }
        found = search->found();
    }
    auto playback = std::make_unique<Playback>(file, options, found);
    const bool grows = options.reader.grows();
    playback->find_start(until);
    if (found && is_over(*playback, until) && (!grows || playback->over())) {
        stop(response);
        return;
    }
    auto feed = feed_of(std::move(playback));
    if (!found) {
        feed->tell_gap();
        mark_gap(response);
    }
    response.feed = std::move(feed);
}

} // namespace sse
