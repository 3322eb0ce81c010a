#include "source/playback.hpp"

#include "protocol/encoder.hpp"
#include "protocol/error.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

using std::chrono::microseconds;

namespace {

RecordingPlace place_of_id(const std::string& path, const std::string& id,
                           const RecordingReaderOptions& options) {
    IdSearch search(path, id, 1, options);
    search.step(std::chrono::steady_clock::time_point::max());
    if (!search.found()) {
        throw Error(Errc::bad_input, fmt::format("{}: no record has the id {}", path, id));
    }
    return search.found()->place;
}

} // namespace

Playback::Playback(const std::string& path, PlaybackOptions options,
                   const std::optional<PlaybackPosition>& after)
    : Playback(open_recording(path, options.reader), options, after) {}

Playback::Playback(std::unique_ptr<RecordReader> reader, PlaybackOptions options,
                   const std::optional<PlaybackPosition>& after)
    : options_(std::move(options))
    , reader_(std::move(reader))
    , clock_(options_.timing, microseconds(0)) {
    find_ends();
    if (!after) {
        begin_lap();
        return;
    }
    lap_ = after->lap;
    if (lap_ > 1) lap_start_ = length() * static_cast<std::int64_t>(lap_ - 1);
    lap_done_ = false;
    lap_has_records_ = true;
    reader_->seek(after->place);
    reader_->next(); // the record there
    clock_ = PlaybackClock(options_.timing,
                           lap_start_ + std::max(microseconds(0), after->place.t - from_));
}

void Playback::find_ends() {
    const auto& path = reader_->input().path();
    if (options_.from && options_.from->id) {
        first_ = place_of_id(path, *options_.from->id, options_.reader);
        from_ = first_->t;
    } else if (options_.from) {
        from_ = options_.from->t;
    }
    if (!options_.to || !options_.to->id) return;
    last_ = place_of_id(path, *options_.to->id, options_.reader);
}

void Playback::begin_lap() {
    lap_done_ = false;
    lap_has_records_ = false;
    if (first_) {
        reader_->seek(*first_);
        reader_->next(); // the record there
        return;
    }
    if (lap_ > 1) reader_->rewind();
    if (from_.count() > 0 && reader_->input().random_access())
        reader_->seek_before([this](const Record& record) { return record.t >= from_; });
}

microseconds Playback::length() {
    if (last_) return last_->t - from_;
    const auto is_over = [this](const Record& record) {
        return options_.to && record.t > options_.to->t;
    };
    reader_->seek_before(is_over);
    auto last = from_;
    while (const auto* record = reader_->next()) {
        if (is_over(*record)) break;
        last = std::max(last, record->t);
    }
    return last - from_;
}

const Record* Playback::next_of_lap() {
    while (!lap_done_) {
        const auto* record = reader_->next();
        if (record == nullptr) break;
        if (!first_ && record->t < from_) continue;
        if (options_.to && !options_.to->id && record->t > options_.to->t) break;
        lap_done_ = last_ && !reader_->place().before(*last_);
        if (last_ && last_->before(reader_->place())) break;
        lap_length_ = record->t - from_;
        lap_has_records_ = true;
        return record;
    }
    return nullptr;
}

const Record* Playback::next() {
    for (;;) {
        if (options_.events != 0 && events_ == options_.events) return nullptr;
        const auto* record = next_of_lap();
        if (record == nullptr) {
            const bool more = options_.laps == 0 || lap_ < options_.laps;
            if (!more || !lap_has_records_ || grows()) return nullptr;
            lap_start_ += lap_length_;
            ++lap_;
            begin_lap();
            continue;
        }
        if (!options_.comments && std::holds_alternative<RecordedComment>(record->what)) continue;
        const auto* event = std::get_if<EventView>(&record->what);
        if (event != nullptr && options_.wanted && !options_.wanted(*event)) continue;
        if (event != nullptr) ++events_;
        return record;
    }
}

const Record* Playback::peek() {
    if (peeked_) return &record_;
    const auto* record = next();
    if (record == nullptr) return nullptr;
    peeked_ = true;
    record_ = *record;
    record_.t = lap_start_ + record->t - from_;
    if (const auto id = id_of(record_); lap_ > 1 && id && !id->empty()) {
        id_ = fmt::format("{}@{}", *id, lap_);
        if (auto* event = std::get_if<EventView>(&record_.what)) event->id = id_;
        else record_.what = RecordedId{id_};
    }
    return &record_;
}

Playback::Clock::time_point Playback::due(Clock::time_point now) {
    if (!clock_.started()) clock_.start(now);
    if (!due_) due_ = clock_.due(record_.t);
    return *due_;
}

void Playback::take() {
    peeked_ = false;
    due_.reset();
}

void append_event_stream(const Record& record, std::string& out) {
    struct {
        std::string& out;
        void operator()(const EventView& it) const { encode(it, out); }
        void operator()(const RecordedId& it) const {
            out.append("id: ").append(it.id).append("\n\n");
        }
        void operator()(const RecordedComment& it) const { encode_comment(it.text, out); }
        void operator()(const RecordedRetry& it) const { encode_retry(it.time, out); }
        void operator()(const RecordedOpen&) const {}
        void operator()(const RecordedClose&) const {}
        void operator()(const RecordedBytes& it) const { out.append(it.bytes); }
    } const visitor{out};
    std::visit(visitor, record.what);
}

} // namespace sse
