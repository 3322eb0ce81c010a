#include "handlers/playback_feed.hpp"

#include "protocol/encoder.hpp"

#include <utility>

namespace sse {

PlaybackFeed::PlaybackFeed(std::unique_ptr<Playback> playback, Framing framing,
                           const PlaybackFaults& faults, const PlaybackReports& reports)
    : faults_(faults)
    , reports_(reports)
    , wire_(framing, faults) {
    begin(std::move(playback));
}

PlaybackFeed::PlaybackFeed(std::unique_ptr<IdSearch> search, std::string path,
                           PlaybackOptions options, Framing framing, const PlaybackFaults& faults,
                           const PlaybackReports& reports)
    : search_(std::move(search))
    , path_(std::move(path))
    , options_(std::move(options))
    , faults_(faults)
    , reports_(reports)
    , wire_(framing, faults) {}

void PlaybackFeed::begin(std::unique_ptr<Playback> playback) {
    playback_ = std::move(playback);
    driver_.emplace(*playback_, [this] { return now_; });
}

void PlaybackFeed::announce_gap() {
    if (playback_->format() != StreamFormat::event_stream) return; // there are no comments
    encode_comment(
        " gap: the recording does not contain the last event ID; it starts from the beginning",
        block_);
    send_block();
}

std::size_t PlaybackFeed::gather(Clock::time_point now, std::span<std::string_view> out) {
    if (out.empty()) return 0;
    try {
        if (search_ && !failed_) search(now);
        if (playback_ && !at_end_ && !failed_) fill(now);
    } catch (const Error& e) {
        failed_ = true; // the records before the error are sent, then the connection is closed
        send_block();
        reports_.failed(e);
    }
    report_end();
    out[0] = wire_.next();
    return out[0].empty() ? 0 : 1;
}

void PlaybackFeed::search(Clock::time_point now) {
    if (!search_->step(now + reading_time)) return;
    begin(std::make_unique<Playback>(path_, options_, search_->found()));
    if (!search_->found()) announce_gap();
    search_.reset();
}

void PlaybackFeed::fill(Clock::time_point now) {
    using Kind = PlaybackStep::Kind;
    now_ = now;
    const auto until = now + reading_time;
    TimeBudget budget(until);
    while (wire_.waiting() + block_.size() < max_waiting_bytes) {
        if (dropping_ || stalled_ || wire_.is_cut()) break;
        due_ = now;
        if (budget.over(playback_->reader().place().offset)) break;
        const auto step = driver_->step(until);
        at_end_ = step.kind == Kind::end;
        due_ = step.when;
        if (step.kind != Kind::send) break;
        send(*step.record);
        playback_->advance();
        dropping_ = faults_.drop_every != 0 && counter_.events >= faults_.drop_every;
        stalled_ = faults_.stall_after != 0 && counter_.events >= faults_.stall_after;
    }
    send_block();
}

void PlaybackFeed::send(const Record& record) {
    if (const auto id = id_of(record); id && index_ != nullptr)
        index_->add(*id, playback_->position());
    if (position_) position_->store(record.t.count(), std::memory_order_relaxed);
    record_events_.on_record(record);
    const auto* read = std::get_if<RecordedBytes>(&record.what);
    if (read == nullptr) return append_record(record, playback_->format(), block_);
    send_block(); // each read is a chunk of its own
    wire_.add(read->bytes);
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
    for (; !marks_.empty() && marks_.front().framed <= wire_.written(); marks_.pop_front()) {
        auto& mark = marks_.front();
        reports_.sent(mark.events - std::exchange(sent_, mark.events));
        last_sent_ = std::move(mark.last_id);
    }
    report_end();
}

std::optional<Feed::Clock::time_point> PlaybackFeed::due() const {
    if (search_ || !wire_.empty()) return Clock::time_point(); // now
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
