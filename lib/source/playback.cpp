#include "source/playback.hpp"

#include "protocol/encoder.hpp"
#include "protocol/error.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace sse {

using std::chrono::microseconds;

Playback::Playback(const std::string& path, PlaybackOptions options,
                   const std::optional<PlaybackPosition>& after)
    : Playback(open_recording(path, options.reader), options, after) {}

Playback::Playback(std::unique_ptr<RecordReader> reader, PlaybackOptions options,
                   const std::optional<PlaybackPosition>& after)
    : options_(std::move(options))
    , reader_(std::move(reader))
    , after_(after)
    , clock_(options_.timing, microseconds(0)) {}

bool Playback::find_start(Clock::time_point until) {
    if (started_) return true;
    if (!find_ends(until)) return false;
    if (!after_) {
        begin_lap();
        return started_ = true;
    }
    lap_ = after_->lap;
    if (lap_ > 1) {
        if (!measure_lap(until)) return false;
        lap_start_ = lap_length_ * static_cast<std::int64_t>(lap_ - 1);
    }
    lap_sends_ = true; // what the client has had
    reader_->seek(after_->place);
    reader_->next(); // the record there
    clock_ = PlaybackClock(options_.timing,
                           lap_start_ + std::max(microseconds(0), after_->place.t - from_));
    return started_ = true;
}

/// False: `until` came first.
bool Playback::find_ends(Clock::time_point until) {
    if (!find_end(options_.from, first_, until) || !find_end(options_.to, last_, until))
        return false;
    if (options_.from) from_ = first_ ? first_->t : options_.from->t;
    return true;
}

bool Playback::find_end(const std::optional<PlaybackPoint>& point,
                        std::optional<RecordingPlace>& place, Clock::time_point until) {
    if (!point || !point->id || place) return true;
    const auto& path = reader_->input().path();
    if (!search_) search_ = std::make_unique<IdSearch>(path, *point->id, 1, options_.reader);
    if (!search_->step(until)) return false;
    if (!search_->found()) {
        throw Error(Errc::bad_input, fmt::format("{}: no record has the id {}", path, *point->id));
    }
    place = search_->found()->place;
    search_.reset();
    return true;
}

void Playback::begin_lap() {
    lap_done_ = false;
    lap_sends_ = false;
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
    find_ends(Clock::time_point::max());
    measure_lap(Clock::time_point::max());
    return lap_length_;
}

/// From the first time that is played to the last; moves the reader. False: `until` came first.
bool Playback::measure_lap(Clock::time_point until) {
    if (last_) lap_length_ = last_->t - from_;
    if (last_) return true;
    const auto is_over = [this](const Record& record) {
        return options_.to && record.t > options_.to->t;
    };
    if (!std::exchange(measuring_, true)) reader_->seek_before(is_over);
    for (Slice slice(until); !slice.over(reader_->place().offset);) {
        const auto* record = reader_->next();
        if (record == nullptr || is_over(*record)) return true;
        lap_length_ = std::max(lap_length_, record->t - from_);
    }
    return false;
}

const Record* Playback::next_of_lap(Slice& slice) {
    while (!lap_done_) {
        looking_ = slice.over(reader_->place().offset);
        if (looking_) break;
        const auto* record = reader_->next();
        if (record == nullptr) break;
        if (!first_ && record->t < from_) continue;
        if (options_.to && !options_.to->id && record->t > options_.to->t) break;
        lap_done_ = last_ && !reader_->place().before(*last_);
        if (last_ && last_->before(reader_->place())) break;
        lap_length_ = record->t - from_;
        return record;
    }
    return nullptr;
}

const Record* Playback::next(Slice& slice) {
    for (;;) {
        if (options_.events != 0 && events_ == options_.events) return nullptr;
        const auto* record = next_of_lap(slice);
        if (record == nullptr) {
            if (looking_) return nullptr;
            const bool more = options_.laps == 0 || lap_ < options_.laps;
            if (!more || grows()) return nullptr;
            if (!lap_sends_) {
                throw Error(Errc::bad_input, fmt::format("{}: nothing of it would be sent, however "
                                                         "often it is played",
                                                         reader_->input().name()));
            }
            lap_start_ += lap_length_;
            ++lap_;
            begin_lap();
            continue;
        }
        if (!options_.comments && std::holds_alternative<RecordedComment>(record->what)) continue;
        const auto* event = std::get_if<EventView>(&record->what);
        if (event != nullptr && options_.wanted && !options_.wanted(*event)) continue;
        if (event != nullptr) ++events_;
        lap_sends_ = lap_sends_ || is_sent(*record);
        return record;
    }
}

const Record* Playback::peek(Clock::time_point until) {
    if (peeked_) return &record_;
    looking_ = !find_start(until);
    if (looking_) return nullptr;
    Slice slice(until);
    const auto* record = next(slice);
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

bool is_sent(const Record& record) {
    if (const auto* read = std::get_if<RecordedBytes>(&record.what)) return !read->bytes.empty();
    return !std::holds_alternative<RecordedOpen>(record.what) &&
           !std::holds_alternative<RecordedClose>(record.what);
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
