// Plays a recording: which record comes next, and when. Not a timer: waits for nothing, and knows
// the time only as it is told. Not the wire: framing, sockets and faults of bytes are the caller's.
#pragma once

#include "base/time_budget.hpp"
#include "playback/id_search.hpp"
#include "playback/playback_clock.hpp"
#include "protocol/parser.hpp"
#include "recording/record_reader.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// A point of a recording: a time since its start, or the last record with an id.
struct PlaybackPoint {
    std::chrono::microseconds t{0};
    std::optional<std::string> id; ///< if set, `t` does not count
};

struct PlaybackOptions {
    PlaybackTiming timing;
    /// What is played: records from the first of them (with an id: after it) to the second (with an
    /// id: up to and with it).
    std::optional<PlaybackPoint> from, to;
    /// How often it is played; 0: for ever. The ids of the second lap and later have `@LAP` behind
    /// them, so that each is unique. What sends nothing in one lap is not played in another: Error.
    std::uint64_t laps = 1;
    /// So many events are played, of all laps together and those in recorded reads too; 0: all. Who
    /// goes on after one of them gets the rest of them.
    std::uint64_t events = 0;
    /// False: comments are left out.
    bool comments = true;
    /// Which events are played; empty: all.
    std::function<bool(const EventView&)> wanted;
    RecordingReaderOptions reader;
};

/// One playing of one recording: owns its own reader, so that each client has its own place and
/// time. One thread at a time.
class Playback {
public:
    using Clock = PlaybackClock::Clock;

    /// Opens the recording. With `after`, plays what follows the record there, which is taken as
    /// just played. Throws Error as open_recording() and its readers do, here and later; and later
    /// (bad_input) where an id of `options` does not occur.
    Playback(const std::string& path, PlaybackOptions options,
             const std::optional<PlaybackPosition>& after = std::nullopt);
    /// The same for one that is open, at its start. One that cannot be opened again under its path
    /// is played once, from and to times only.
    Playback(std::unique_ptr<RecordReader> reader, PlaybackOptions options,
             const std::optional<PlaybackPosition>& after = std::nullopt);

    Playback(const Playback&) = delete;
    Playback& operator=(const Playback&) = delete;

    /// The record that is next, its `t` counted from the start of all laps, valid until take();
    /// nullptr at the end (for a growing recording: for now), and when `until` comes before it is
    /// found: then looking().
    const Record* peek(Clock::time_point until = Clock::time_point::max());
    /// peek() gave nothing because its time was over; the next call goes on.
    bool looking() const { return looking_; }
    /// False: `until` came before it was known where to begin; the next call, or peek(), goes on.
    bool find_start(Clock::time_point until);
    /// When peek() is due; the first call of this starts the clock at `now`.
    Clock::time_point due(Clock::time_point now);
    /// The record of peek() has been played.
    void take();
    /// Of the record of peek().
    PlaybackPosition position() const { return {reader_->place(), lap_}; }
    /// How long a lap is, from the first time that is played to the last. It reads to the end,
    /// unless the file lets it go there at once, and leaves the playing anywhere.
    std::chrono::microseconds length();
    const RecordReader& reader() const { return *reader_; }
    /// The recording is still being written, and there may be more to play after its end.
    bool grows() const { return options_.reader.grows() && !over_; }
    /// All has been played, whatever may still be written.
    bool over() const { return over_; }
    /// Something was played.
    bool played() const { return played_; }

private:
    const Record* next(TimeBudget& slice);
    const Record* next_of_lap(TimeBudget& slice);
    void begin_lap();
    bool find_ends(Clock::time_point until);
    bool find_end(const std::optional<PlaybackPoint>& point, std::optional<RecordingPlace>& place,
                  Clock::time_point until);
    bool measure_lap(Clock::time_point until);
    bool go_after(Clock::time_point until);
    std::uint64_t longest_laps() const;
    bool count_had(Clock::time_point until);
    void count(const Record& record);
    bool is_wanted(const Record& record) const;

    /// Events in recorded reads.
    struct EventCounter : Parser::Sink {
        explicit EventCounter(std::uint64_t& events)
            : count(events) {}
        void on_event(const EventView&) override { ++count; }
        bool on_too_large() override {
            ++count;
            return true;
        }
        std::uint64_t& count;
    };

    PlaybackOptions options_;
    std::unique_ptr<RecordReader> reader_;
    std::optional<PlaybackPosition> after_; ///< what is to go on there
    std::unique_ptr<IdSearch> search_;      ///< for an end, while it lasts
    bool started_ = false, measuring_ = false, looking_ = false;
    std::optional<RecordingPlace> first_; ///< where a lap begins: after the record there
    std::optional<RecordingPlace> last_;  ///< where it ends, if it ends at an id: with that one
    std::chrono::microseconds lap_start_{0}, lap_length_{0}; ///< lap_start_: of all laps' time
    std::chrono::microseconds from_{0};
    std::uint64_t lap_ = 1, events_ = 0;
    bool lap_sends_ = false, lap_done_ = false, counting_ = false, laps_counted_ = false,
         measured_ = false;
    bool going_ = false, over_ = false, played_ = false;
    EventCounter counter_{events_};
    std::unique_ptr<Parser> parser_; ///< of recorded reads, to count their events
    PlaybackClock clock_;
    Record record_; ///< the one that is next, as it is played
    std::string id_;
    bool peeked_ = false;
    std::optional<Clock::time_point> due_;
};

/// A server would have sent something for it.
bool is_sent(const Record& record);
/// Appends what a server would have sent for `record`: text/event-stream for what has a form there,
/// recorded bytes as they are, nothing for open and close.
void append_event_stream(const Record& record, std::string& out);

} // namespace sse
