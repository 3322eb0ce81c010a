// Plays a recording: which record comes next, and when. Not a timer: waits for nothing, and knows
// the time only as it is told. Not the wire: framing and sockets are the caller's.
#pragma once

#include "recording/reader.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

struct PlaybackOptions {
    /// How many times faster than recorded; above 0.
    double speed = 1;
    /// False: everything is due at once.
    bool wait = true;
    /// No pause of the playing lasts longer; what is cut off a pause, all that follows comes
    /// earlier by.
    std::optional<std::chrono::microseconds> max_gap;
    RecordingReaderOptions reader;
};

/// The time of a playing: record k is due at start + t(k) / speed, whenever the ones before it were
/// asked for, so that no error adds up.
class PlaybackClock {
public:
    using Clock = std::chrono::steady_clock;

    /// `base` is the `t` that is due at the start.
    PlaybackClock(const PlaybackOptions& options, std::chrono::microseconds base);
    void start(Clock::time_point now) { start_ = now; }
    bool started() const { return start_.has_value(); }
    /// When a record with that `t` is due. To be asked once for each record, in order, once
    /// started.
    Clock::time_point due(std::chrono::microseconds t);

private:
    double speed_;
    bool wait_;
    std::optional<std::chrono::microseconds> max_gap_;
    std::chrono::microseconds base_, last_;
    std::chrono::nanoseconds skipped_{0}; ///< playing time that max_gap_ took out
    std::optional<Clock::time_point> start_;
};

/// One playing of one recording: owns its own reader, so that each client has its own place and
/// time. One thread at a time.
class Playback {
public:
    using Clock = PlaybackClock::Clock;

    /// Opens the recording. With `place`, plays what follows the record there, which is taken as
    /// just played. Throws Error as RecordingReader does, here and later.
    Playback(const std::string& path, const PlaybackOptions& options,
             std::optional<RecordingPlace> place = std::nullopt);

    /// The record that is next, valid until take(); nullptr at the end (for a growing recording:
    /// for now).
    const Record* peek();
    /// When peek() is due; the first call of this starts the clock at `now`.
    Clock::time_point due(Clock::time_point now);
    /// The record of peek() has been played.
    void take();
    const RecordingReader& reader() const { return reader_; }

private:
    RecordingReader reader_;
    PlaybackClock clock_;
    const Record* next_ = nullptr;
    std::optional<Clock::time_point> due_;
};

/// Appends what a server would have sent for `record`: text/event-stream for what has a form there,
/// recorded bytes as they are, nothing for open and close.
void append_event_stream(const Record& record, std::string& out);

/// Looks for where to go on after an id, in slices, so that a loop can do other things meanwhile.
class IdSearch {
public:
    /// Looks for the last record of `path` that set the last event id to `id`.
    IdSearch(const std::string& path, std::string_view id, const RecordingReaderOptions& options);
    /// Reads on until `until`; true when the end of the recording has been reached. Throws as
    /// RecordingReader::next() does.
    bool step(std::chrono::steady_clock::time_point until);
    /// After step() was true: the place of that record; nullopt if the id does not occur.
    const std::optional<RecordingPlace>& found() const { return found_; }

private:
    RecordingReader reader_;
    std::string id_;
    std::optional<RecordingPlace> found_;
};

} // namespace sse
