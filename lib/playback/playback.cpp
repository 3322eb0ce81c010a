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
    , format_(reader_->stream_format())
    , after_(after)
    , clock_(options_.timing, microseconds(0)) {}

bool Playback::find_start(Clock::time_point until) {
    if (started_) return true;
    if (!find_range(until)) return false;
    if (!after_) {
        begin_lap();
        return started_ = true;
    }
    lap_ = after_->lap;
    if (!measured_) {
        if (lap_ > 1 && !measure_lap(until)) return false;
        measured_ = true;
        lap_start_ = lap_length_ * static_cast<std::int64_t>(std::min(lap_ - 1, max_laps()));
    }
    if (options_.events != 0 && !count_received(until)) return false;
    if (!seek_after(until)) return false;
    lap_sends_ = true; // the client has received events of it
    lap_done_ = false;
    const auto of_lap = std::max(microseconds(0), after_->place.t - from_);
    lap_length_ = std::max(lap_length_, of_lap);
    clock_ = PlaybackClock(options_.timing, lap_start_ + of_lap);
    return started_ = true;
}

/// Moves the reader behind the record at after_. Without random access it reads up to that record.
/// False if `until` passed first.
bool Playback::seek_after(Clock::time_point until) {
    const auto& place = after_->place;
    const bool random = reader_->input().random_access();
    if (!std::exchange(seeking_, true)) {
        if (random) reader_->seek(place);
        else reader_->rewind();
    }
    for (TimeBudget budget(until);;) {
        const auto* record = reader_->next(budget);
        if (reader_->paused()) return false;
        if (random || record == nullptr || !reader_->place().before(place)) return true;
    }
}

/// Bounds the lap in a client's Last-Event-ID, which can be any number.
std::uint64_t Playback::max_laps() const {
    constexpr microseconds longest = std::chrono::hours(24 * 365 * 1000);
    return static_cast<std::uint64_t>(longest / std::max(lap_length_, microseconds(1)));
}

/// Finds the records of PlaybackOptions::from and to. False if `until` passed first.
bool Playback::find_range(Clock::time_point until) {
    if (!find_point(options_.from, first_, until) || !find_point(options_.to, last_, until))
        return false;
    if (options_.from) from_ = first_ ? first_->t : options_.from->t;
    if ((first_ && last_ && !first_->before(*last_)) || (last_ && last_->t < from_) ||
        (options_.to && !options_.to->id && options_.to->t < from_)) {
        throw Error(Errc::bad_input,
                    fmt::format("{}: --to is before --from", reader_->input().name()),
                    Reason::empty_range);
    }
    return true;
}

bool Playback::find_point(const std::optional<PlaybackPoint>& point,
                          std::optional<RecordingPlace>& place, Clock::time_point until) {
    if (!point || !point->id || place) return true;
    const auto& path = reader_->input().path();
    if (!search_) search_ = std::make_unique<IdSearch>(path, *point->id, 1, options_.reader);
    if (!search_->step(until)) return false;
    if (!search_->found()) {
        throw Error(Errc::bad_input, fmt::format("{}: no record has the ID {}", path, *point->id),
                    Reason::id_not_found);
    }
    place = search_->found()->place;
    search_.reset();
    return true;
}

void Playback::begin_lap() {
    lap_done_ = false;
    lap_sends_ = false;
    record_events_.reset();
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

/// Throws Error (too_large) if the time of the playback would no longer fit into 64 bits.
void Playback::begin_next_lap() {
    constexpr microseconds longest = std::chrono::hours(24 * 365 * 100'000LL);
    if (lap_start_ > longest - lap_length_) {
        throw Error(Errc::too_large,
                    fmt::format("{}: lap {} would begin more than 100000 years after the start",
                                reader_->input().name(), lap_ + 1),
                    Reason::playback_too_long);
    }
    lap_start_ += lap_length_;
    ++lap_;
    begin_lap();
}

microseconds Playback::length() {
    find_range(Clock::time_point::max());
    measure_lap(Clock::time_point::max());
    return lap_length_;
}

/// Sets lap_length_, from the first time that is played to the last. Moves the reader. False if
/// `until` passed first.
bool Playback::measure_lap(Clock::time_point until) {
    if (last_) lap_length_ = last_->t - from_;
    if (last_) return true;
    const auto is_over = [this](const Record& record) {
        return options_.to && record.t > options_.to->t;
    };
    if (!std::exchange(measuring_, true)) reader_->seek_before(is_over);
    for (TimeBudget budget(until);;) {
        const auto* record = reader_->next(budget);
        if (reader_->paused()) return false;
        if (record == nullptr || is_over(*record)) return true;
        lap_length_ = std::max(lap_length_, record->t - from_);
    }
}

/// Counts the events that the client has received: those up to after_. False if `until` passed
/// first.
bool Playback::count_received(Clock::time_point until) {
    if (!std::exchange(counting_, true)) {
        laps_counted_ = lap_ == 1;
        begin_lap();
    }
    for (TimeBudget budget(until); counter_.events < options_.events;) {
        const auto* record = next_of_lap(budget);
        if (searching_) return false;
        const bool received =
            record != nullptr && (!laps_counted_ || !after_->place.before(reader_->place()));
        if (received) {
            if (is_wanted(*record)) count(*record);
        } else if (std::exchange(laps_counted_, true)) {
            break;
        } else { // each lap before this one had as many
            if (counter_.events > 0 && lap_ - 1 > options_.events / counter_.events)
                counter_.events = options_.events;
            else counter_.events *= lap_ - 1;
            begin_lap();
        }
    }
    return true;
}

void Playback::count(const Record& record) {
    if (options_.events != 0) record_events_.on_record(record);
}

bool Playback::is_wanted(const Record& record) const {
    if (!options_.comments && std::holds_alternative<RecordedComment>(record.what)) return false;
    const auto* event = std::get_if<EventView>(&record.what);
    return event == nullptr || !options_.wanted || options_.wanted(*event);
}

const Record* Playback::next_of_lap(TimeBudget& budget) {
    while (!lap_done_) {
        const auto* record = reader_->next(budget);
        searching_ = reader_->paused();
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

const Record* Playback::next(TimeBudget& budget) {
    for (;;) {
        finished_ = options_.events != 0 && counter_.events >= options_.events;
        if (finished_) return nullptr;
        const auto* record = next_of_lap(budget);
        if (record == nullptr) {
            if (searching_) return nullptr;
            const bool more = options_.laps == 0 || lap_ < options_.laps;
            finished_ = lap_done_ && !more;
            if (!more || (!lap_done_ && grows())) return nullptr;
            if (!lap_sends_) {
                throw Error(Errc::bad_input,
                            fmt::format("{}: no record would be sent, so it cannot "
                                        "be played in a loop",
                                        reader_->input().name()),
                            Reason::empty_lap);
            }
            begin_next_lap();
            continue;
        }
        if (!is_wanted(*record)) continue;
        count(*record);
        lap_sends_ = lap_sends_ || sends_bytes(*record, format_);
        return record;
    }
}

const Record* Playback::peek(Clock::time_point until) {
    if (peeked_) return &record_;
    searching_ = !find_start(until);
    if (searching_) return nullptr;
    TimeBudget budget(until);
    const auto* record = next(budget);
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

void Playback::advance() {
    peeked_ = false;
    played_ = true;
    due_.reset();
}

bool sends_bytes(const Record& record, StreamFormat format) {
    if (const auto* read = std::get_if<RecordedBytes>(&record.what)) return !read->bytes.empty();
    if (format != StreamFormat::event_stream) return std::holds_alternative<EventView>(record.what);
    return !std::holds_alternative<RecordedOpen>(record.what) &&
           !std::holds_alternative<RecordedClose>(record.what);
}

namespace {

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

} // namespace

void append_record(const Record& record, StreamFormat format, std::string& out) {
    if (format == StreamFormat::event_stream) return append_event_stream(record, out);
    if (const auto* read = std::get_if<RecordedBytes>(&record.what)) out.append(read->bytes);
    const auto* event = std::get_if<EventView>(&record.what);
    if (event == nullptr) return;
    if (format == StreamFormat::json_seq) out.push_back('\x1e');
    const auto start = out.size();
    out.append(event->data);
    const auto is_line_end = [](char c) { return c == '\r' || c == '\n'; }; // white space in JSON
    std::replace_if(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), is_line_end, ' ');
    out.push_back('\n');
}

} // namespace sse
