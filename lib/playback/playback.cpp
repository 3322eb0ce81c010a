#include "playback/playback.hpp"

#include "base/error.hpp"
#include "protocol/encoder.hpp"

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
    if (!measured_) {
        if (lap_ > 1 && !measure_lap(until)) return false;
        measured_ = true;
        lap_start_ = lap_length_ * static_cast<std::int64_t>(std::min(lap_ - 1, longest_laps()));
    }
    if (options_.events != 0 && !count_had(until)) return false;
    if (!go_after(until)) return false;
    lap_sends_ = true; // what the client has had
    lap_done_ = false;
    const auto of_lap = std::max(microseconds(0), after_->place.t - from_);
    lap_length_ = std::max(lap_length_, of_lap);
    clock_ = PlaybackClock(options_.timing, lap_start_ + of_lap);
    return started_ = true;
}

/// Where a file has no random access, to go there is to read up to there. False: `until` came
/// first.
bool Playback::go_after(Clock::time_point until) {
    const auto& place = after_->place;
    if (reader_->input().random_access()) {
        reader_->seek(place);
        reader_->next(); // the record there
        return true;
    }
    if (!std::exchange(going_, true)) reader_->rewind();
    for (TimeBudget slice(until); !slice.over(reader_->place().offset);) {
        if (reader_->next() == nullptr || !reader_->place().before(place)) return true;
    }
    return false;
}

/// Laps whose time can be counted: who comes back names any.
std::uint64_t Playback::longest_laps() const {
    constexpr microseconds longest = std::chrono::hours(24 * 365 * 1000);
    return static_cast<std::uint64_t>(longest / std::max(lap_length_, microseconds(1)));
}

/// False: `until` came first.
bool Playback::find_ends(Clock::time_point until) {
    if (!find_end(options_.from, first_, until) || !find_end(options_.to, last_, until))
        return false;
    if (options_.from) from_ = first_ ? first_->t : options_.from->t;
    if ((first_ && last_ && !first_->before(*last_)) || (last_ && last_->t < from_) ||
        (options_.to && !options_.to->id && options_.to->t < from_)) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: the end that is asked for comes before the beginning",
                                reader_->input().name()));
    }
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
    parser_.reset();
    const bool random = reader_->input().random_access();
    if (first_ && random) {
        reader_->seek(*first_);
        reader_->next(); // the record there
        return;
    }
    if (lap_ > 1) reader_->rewind();
    if (!first_ && from_.count() > 0 && random)
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
    for (TimeBudget slice(until); !slice.over(reader_->place().offset);) {
        const auto* record = reader_->next();
        if (record == nullptr || is_over(*record)) return true;
        lap_length_ = std::max(lap_length_, record->t - from_);
    }
    return false;
}

/// Counts the events up to the one to go on after. False: `until` came first.
bool Playback::count_had(Clock::time_point until) {
    if (!std::exchange(counting_, true)) {
        laps_counted_ = lap_ == 1;
        begin_lap();
    }
    for (TimeBudget slice(until); events_ < options_.events;) {
        const auto* record = next_of_lap(slice);
        if (looking_) return false;
        const bool had =
            record != nullptr && (!laps_counted_ || !after_->place.before(reader_->place()));
        if (had) {
            if (is_wanted(*record)) count(*record);
        } else if (std::exchange(laps_counted_, true)) {
            break;
        } else { // those before this one had as many
            if (events_ > 0 && lap_ - 1 > options_.events / events_) events_ = options_.events;
            else events_ *= lap_ - 1;
            begin_lap();
        }
    }
    return true;
}

void Playback::count(const Record& record) {
    if (std::holds_alternative<EventView>(record.what)) ++events_;
    const auto* read = std::get_if<RecordedBytes>(&record.what);
    if (options_.events == 0 || read == nullptr) return;
    if (!parser_) parser_ = std::make_unique<Parser>(counter_);
    parser_->feed(read->bytes);
}

bool Playback::is_wanted(const Record& record) const {
    if (!options_.comments && std::holds_alternative<RecordedComment>(record.what)) return false;
    const auto* event = std::get_if<EventView>(&record.what);
    return event == nullptr || !options_.wanted || options_.wanted(*event);
}

const Record* Playback::next_of_lap(TimeBudget& slice) {
    while (!lap_done_) {
        looking_ = slice.over(reader_->place().offset);
        if (looking_) break;
        const auto* record = reader_->next();
        if (record == nullptr) break;
        if (first_ ? !first_->before(reader_->place()) : record->t < from_) continue;
        const bool late = options_.to && !options_.to->id && record->t > options_.to->t;
        lap_done_ = late || (last_ && !reader_->place().before(*last_));
        if (late || (last_ && last_->before(reader_->place()))) break;
        lap_length_ = record->t - from_;
        return record;
    }
    return nullptr;
}

const Record* Playback::next(TimeBudget& slice) {
    for (;;) {
        over_ = options_.events != 0 && events_ >= options_.events;
        if (over_) return nullptr;
        const auto* record = next_of_lap(slice);
        if (record == nullptr) {
            if (looking_) return nullptr;
            const bool more = options_.laps == 0 || lap_ < options_.laps;
            over_ = lap_done_ && !more;
            if (!more || (!lap_done_ && grows())) return nullptr;
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
        if (!is_wanted(*record)) continue;
        count(*record);
        lap_sends_ = lap_sends_ || is_sent(*record);
        return record;
    }
}

const Record* Playback::peek(Clock::time_point until) {
    if (peeked_) return &record_;
    looking_ = !find_start(until);
    if (looking_) return nullptr;
    TimeBudget slice(until);
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
    played_ = true;
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
