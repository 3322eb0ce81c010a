#include "http/playback_feed.hpp"

#include "protocol/chunked.hpp"
#include "protocol/encoder.hpp"
#include "protocol/error.hpp"

#include <utility>

namespace sse {

PlaybackFeed::PlaybackFeed(std::unique_ptr<Playback> playback, Framing framing,
                           const PlaybackReports& reports)
    : playback_(std::move(playback))
    , framing_(framing)
    , reports_(reports) {}

PlaybackFeed::PlaybackFeed(std::unique_ptr<IdSearch> search, std::string path,
                           const PlaybackOptions& options, Framing framing,
                           const PlaybackReports& reports)
    : search_(std::move(search))
    , path_(std::move(path))
    , options_(options)
    , framing_(framing)
    , reports_(reports) {}

void PlaybackFeed::tell_gap() {
    std::string comment;
    encode_comment(" the last event id is not of this recording: playing from its start", comment);
    frame(comment);
}

std::size_t PlaybackFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    if (out.empty()) return 0;
    try {
        if (search_ && !failed_) search(now);
        if (playback_ && !at_end_ && !failed_) fill(now);
    } catch (const Error& e) {
        failed_ = true; // what could be read is sent, and then the stream is cut
        frame(std::exchange(block_, {}));
        reports_.failed(e);
    }
    report_end();
    if (out_.empty()) return 0;
    out[0] = std::string_view(out_).substr(taken_);
    return 1;
}

void PlaybackFeed::search(Clock::time_point now) {
    if (!search_->step(now + search_slice)) return;
    playback_ = std::make_unique<Playback>(path_, options_, search_->found());
    if (!search_->found()) tell_gap();
    search_.reset();
}

void PlaybackFeed::fill(Clock::time_point now) {
    while (out_.size() + block_.size() - taken_ < max_waiting_bytes) {
        const auto* record = playback_->peek();
        at_end_ = record == nullptr;
        if (at_end_) break;
        due_ = playback_->due(now);
        if (*due_ > now) break;
        const bool as_recorded = std::holds_alternative<RecordedBytes>(record->what);
        if (as_recorded) { // a chunk of its own, as it was read
            frame(block_);
            block_.clear();
        }
        append_event_stream(*record, block_);
        if (as_recorded) {
            frame(block_);
            block_.clear();
        }
        playback_->take();
    }
    frame(block_);
    block_.clear();
}

void PlaybackFeed::frame(std::string_view bytes) {
    if (framing_ == Framing::chunked) append_chunk(bytes, out_);
    else out_.append(bytes);
}

void PlaybackFeed::report_end() {
    if (!ended() || failed_ || reported_) return;
    reported_ = true;
    reports_.played();
}

void PlaybackFeed::consume(std::size_t bytes) {
    taken_ += bytes;
    if (taken_ < out_.size()) return;
    out_.clear();
    taken_ = 0;
    report_end();
}

std::optional<Feed::Clock::time_point> PlaybackFeed::due() const {
    if (search_) return Clock::time_point(); // at once
    if (at_end_ || failed_ || !out_.empty()) return std::nullopt;
    return due_;
}

} // namespace sse
