// Plays a recording: which record is next, and when it is due. Time is passed in; this never
// waits. Framing, sockets and faults of bytes belong to the caller.
#pragma once

#include "base/time_budget.hpp"
#include "playback/id_search.hpp"
#include "playback/playback_clock.hpp"
#include "recording/record_events.hpp"
#include "recording/record_reader.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// A point of a recording: a time since its start, or the last record with an ID.
struct PlaybackPoint {
    std::chrono::microseconds t{0};
    std::optional<std::string> id; ///< if set, `t` is ignored
};

struct PlaybackOptions {
    PlaybackTiming timing;
    /// The range that is played: from the first point (after it, if it is an ID) up to and
    /// including the second.
    std::optional<PlaybackPoint> from, to;
    /// Number of laps; 0: forever. From the second lap on, IDs end in `@LAP`, so that each is
    /// unique. A lap that sends nothing ends the playback with an Error.
    std::uint64_t laps = 1;
    /// Maximum number of events, over all laps and including those in recorded reads; 0: no limit.
    /// A client that resumes gets the remaining ones.
    std::uint64_t events = 0;
    /// False: comments are omitted.
    bool comments = true;
    /// Selects the events that are played; empty: all.
    std::function<bool(const EventView&)> wanted;
    RecordingReaderOptions reader;
};

/// One playback of one recording. Owns its reader, so each client has its own position and time.
/// One thread at a time.
class Playback {
public:
    using Clock = PlaybackClock::Clock;

    /// Opens the recording. With `after`, the playback starts behind the record there, as if that
    /// had just been played. Throws Error as open_recording() and its readers do, here and in other
    /// members; and later (bad_input) if the recording does not contain an ID of `options`.
    Playback(const std::string& path, PlaybackOptions options,
             const std::optional<PlaybackPosition>& after = std::nullopt);
    /// The same for an open recording at its start. One that cannot be opened again by its path can
    /// be played once, and its range can be given in times only.
    Playback(std::unique_ptr<RecordReader> reader, PlaybackOptions options,
             const std::optional<PlaybackPosition>& after = std::nullopt);

    Playback(const Playback&) = delete;
    Playback& operator=(const Playback&) = delete;

    /// The next record, valid until advance(). Its `t` counts from the start of the first lap.
    /// nullptr at the end (of a growing recording: the end so far), or if `until` passed before a
    /// record was found; then searching() is true.
    const Record* peek(Clock::time_point until = Clock::time_point::max());
    /// True if peek() stopped because of its time limit; the next call continues.
    bool searching() const { return searching_; }
    /// Finds the start of the playback. False if `until` passed first; the next call, or peek(),
    /// continues.
    bool find_start(Clock::time_point until);
    /// When the record of peek() is due; the first call starts the clock at `now`.
    Clock::time_point due(Clock::time_point now);
    /// Moves on from the record of peek(), which has been played.
    void advance();
    /// Position of the record of peek().
    PlaybackPosition position() const { return {reader_->place(), lap_}; }
    /// Duration of one lap. Reads to the end of the recording if it has no random access. The
    /// playback cannot be used afterwards.
    std::chrono::microseconds length();
    const RecordReader& reader() const { return *reader_; }
    /// The format of the played stream, by the recorded content type.
    StreamFormat format() const { return format_; }
    /// The recording is still being written, and more of it may be played.
    bool grows() const { return options_.reader.grows() && !finished_; }
    /// The playback is complete, even if the recording grows.
    bool finished() const { return finished_; }
    /// At least one record was played.
    bool played() const { return played_; }

private:
    const Record* next(TimeBudget& budget);
    const Record* next_of_lap(TimeBudget& budget);
    void begin_lap();
    void begin_next_lap();
    bool find_range(Clock::time_point until);
    bool find_point(const std::optional<PlaybackPoint>& point, std::optional<RecordingPlace>& place,
                    Clock::time_point until);
    bool measure_lap(Clock::time_point until);
    bool seek_after(Clock::time_point until);
    std::uint64_t max_laps() const;
    bool count_received(Clock::time_point until);
    void count(const Record& record);
    bool is_wanted(const Record& record) const;

    PlaybackOptions options_;
    std::unique_ptr<RecordReader> reader_;
    StreamFormat format_;
    std::optional<PlaybackPosition> after_;
    std::unique_ptr<IdSearch> search_; ///< for a point of the range, while it runs
    bool started_ = false, measuring_ = false, searching_ = false;
    std::optional<RecordingPlace> first_;    ///< a lap begins after the record there
    std::optional<RecordingPlace> last_;     ///< a lap ends with the record there
    std::chrono::microseconds lap_start_{0}; ///< since the start of the first lap
    std::chrono::microseconds lap_length_{0};
    std::chrono::microseconds from_{0}; ///< `t` at which a lap begins
    std::uint64_t lap_ = 1;
    bool lap_sends_ = false, lap_done_ = false, counting_ = false, laps_counted_ = false,
         measured_ = false;
    bool seeking_ = false, finished_ = false, played_ = false;
    EventCounter counter_; ///< only if PlaybackOptions::events is set
    RecordEvents record_events_{counter_};
    PlaybackClock clock_;
    Record record_; ///< the next one, with the `t` and ID of the playback
    std::string id_;
    bool peeked_ = false;
    std::optional<Clock::time_point> due_;
};

/// True if a server sends bytes for this record.
bool sends_bytes(const Record& record, StreamFormat format);
/// Appends what a server sends for `record` in a stream of this format. Recorded bytes are
/// unchanged; open and close send nothing. JSON formats send the data of events only, with line
/// ends in it as spaces.
void append_record(const Record& record, StreamFormat format, std::string& out);

} // namespace sse
