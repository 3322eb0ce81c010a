#include "handlers/playback_feed.hpp"

#include "protocol/encoder.hpp"

#include <utility>

namespace sse {

PlaybackFeed::PlaybackFeed(std::unique_ptr<Playback> playback, Framing framing,
                           const PlaybackFaults& faults, const PlaybackReports& reports)
    : playback_(std::move(playback))
    , faults_(faults)
    , reports_(reports)
    , wire_(framing, faults) {}

PlaybackFeed::PlaybackFeed(std::unique_ptr<IdSearch> search, std::string path,
                           PlaybackOptions options, Framing framing, const PlaybackFaults& faults,
                           const PlaybackReports& reports)
    : search_(std::move(search))
    , path_(std::move(path))
    , options_(std::move(options))
    , faults_(faults)
    , reports_(reports)
    , wire_(framing, faults) {}

void PlaybackFeed::tell_gap() {
    encode_comment(" the last event id is not of this recording: playing from its start", block_);
    send_block();
}

std::size_t PlaybackFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    if (out.empty()) return 0;
    try {
        if (search_ && !failed_) search(now);
        if (playback_ && !at_end_ && !failed_) fill(now);
    } catch (const Error& e) {
        failed_ = true; // what could be read is sent, and then the stream is cut
        send_block();
        reports_.failed(e);
    }
    report_end();
    out[0] = wire_.next();
    return out[0].empty() ? 0 : 1;
}

void PlaybackFeed::search(Clock::time_point now) {
    if (!search_->step(now + slice)) return;
    playback_ = std::make_unique<Playback>(path_, options_, search_->found());
    if (!search_->found()) tell_gap();
    search_.reset();
}

void PlaybackFeed::fill(Clock::time_point now) {
    const auto until = now + slice;
    TimeBudget played(until);
    while (wire_.waiting() + block_.size() < max_waiting_bytes) {
        if (dropping_ || stalled_ || wire_.is_cut()) break;
        due_ = now;
        if (played.over(playback_->reader().place().offset)) break;
        const bool grows = playback_->grows(); // before what is read: see there
        const auto* record = playback_->peek(until);
        if (playback_->looking()) break;
        if (record == nullptr) {
            at_end_ = !grows;
            due_ = now + look_again;
            break;
        }
        due_ = playback_->due(now);
        if (*due_ > now) break;
        if (const auto id = id_of(*record); id && index_ != nullptr)
            index_->add(*id, playback_->position());
        if (shown_) shown_->store(record->t.count(), std::memory_order_relaxed);
        play(*record);
        playback_->take();
        dropping_ = faults_.drop_every != 0 && counter_.events >= faults_.drop_every;
        stalled_ = faults_.stall_after != 0 && counter_.events >= faults_.stall_after;
    }
    send_block();
}

void PlaybackFeed::play(const Record& record) {
    const auto* read = std::get_if<RecordedBytes>(&record.what);
    if (read == nullptr) {
        append_event_stream(record, block_);
        if (const auto* event = std::get_if<EventView>(&record.what)) counter_.on_event(*event);
        return;
    }
    send_block(); // a read is a chunk of its own
    wire_.add(read->bytes);
    if (!parser_) parser_ = std::make_unique<Parser>(counter_);
    parser_->feed(read->bytes);
    mark();
}

void PlaybackFeed::send_block() {
    wire_.add(block_);
    block_.clear();
    mark();
}

void PlaybackFeed::mark() {
    const auto marked = marks_.empty() ? sent_ : marks_.back().events;
    if (counter_.events > marked && !wire_.is_cut())
        marks_.push_back({wire_.framed(), counter_.events, counter_.last_id});
}

void PlaybackFeed::report_end() {
    if (!at_end_ || !wire_.empty() || failed_ || reported_) return;
    reported_ = true;
    reports_.played();
}

void PlaybackFeed::consume(std::size_t bytes) {
    wire_.consume(bytes);
    for (; !marks_.empty() && marks_.front().framed <= wire_.taken(); marks_.pop_front()) {
        auto& mark = marks_.front();
        reports_.sent(mark.events - std::exchange(sent_, mark.events));
        last_sent_ = std::move(mark.last_id);
    }
    report_end();
}

std::optional<Feed::Clock::time_point> PlaybackFeed::due() const {
    if (search_ || !wire_.empty()) return Clock::time_point(); // at once
    if (at_end_ || failed_ || stalled_) return std::nullopt;
    return due_;
}

Feed::Cut PlaybackFeed::cut() const {
    if (!wire_.empty()) return Cut::no;
    const bool cut = failed_ || dropping_ || wire_.is_cut() || (at_end_ && faults_.reset);
    if (!cut) return Cut::no;
    return faults_.reset ? Cut::reset : Cut::close;
}

Feed::StreamCounts PlaybackFeed::counts() const {
    StreamCounts counts{sent_, 0, last_sent_};
    if (dropping_) counts.faults.emplace_back("drop-every");
    if (wire_.is_cut()) counts.faults.emplace_back("cut-after");
    if (stalled_) counts.faults.emplace_back("stall-after");
    if (cut() == Cut::reset) counts.faults.emplace_back("reset");
    return counts;
}

} // namespace sse
