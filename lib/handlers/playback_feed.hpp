// The body of one response that plays a recording to one client. PlaybackHandler chooses the
// recording and the position.
#pragma once

#include "base/error.hpp"
#include "playback/id_index.hpp"
#include "playback/playback.hpp"
#include "playback/playback_driver.hpp"
#include "playback/wire.hpp"
#include "server/feed.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace sse {

/// Callbacks about the progress of playbacks, called on the thread of the connection's loop.
struct PlaybackReports {
    std::function<void()> played = [] {}; ///< a client received the whole stream
    std::function<void(const Error&)> failed = [](auto&) {
    };                                                     ///< the recording cannot be read further
    std::function<void(std::uint64_t)> sent = [](auto) {}; ///< number of further events sent whole
};

/// Sends records when they are due, on a clock that starts with the first gather(). Reads the
/// recording as it goes, in bounded memory; while a client does not read, nothing is read.
class PlaybackFeed : public Feed {
public:
    /// Bytes waiting for the socket beyond which no more records are read.
    static constexpr std::size_t max_waiting_bytes = 64 * 1024;
    /// Time that one gather() may spend on reading.
    static constexpr std::chrono::milliseconds reading_time{1};

    /// Plays `playback`. `reports` must outlive the feed.
    PlaybackFeed(std::unique_ptr<Playback> playback, Framing framing, const PlaybackFaults& faults,
                 const PlaybackReports& reports);
    /// Completes `search`, then plays the recording `path` from its result.
    PlaybackFeed(std::unique_ptr<IdSearch> search, std::string path, PlaybackOptions options,
                 Framing framing, const PlaybackFaults& faults, const PlaybackReports& reports);

    /// Sends a comment that the client's last event ID is unknown, before anything else.
    void announce_gap();

    /// Stores `t` of the newest record sent there, in microseconds.
    void report_position_in(std::shared_ptr<std::atomic<std::int64_t>> position) {
        position_ = std::move(position);
    }
    /// Adds the IDs it sends to `index`, which must outlive the feed.
    void add_ids_to(IdIndex& index) { index_ = &index; }

    void attach(std::function<void()>) override {}
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override { return at_end_ && wire_.empty() && !faults_.reset; }
    std::optional<Clock::time_point> due() const override;
    Cut cut() const override;
    StreamCounts counts() const override;

private:
    /// The events contained in the first `framed` bytes of the wire.
    struct Mark {
        std::uint64_t framed, events;
        std::string last_id;
    };

    void begin(std::unique_ptr<Playback> playback);
    void search(Clock::time_point now);
    void fill(Clock::time_point now);
    void send(const Record& record);
    void send_block();
    void mark();
    void report_end();

    std::unique_ptr<Playback> playback_;
    std::optional<PlaybackDriver> driver_; ///< of playback_
    Clock::time_point now_{};              ///< of the current gather()
    std::unique_ptr<IdSearch> search_;
    std::string path_;
    PlaybackOptions options_;
    PlaybackFaults faults_;
    const PlaybackReports& reports_;
    PlaybackWire wire_;
    std::string block_;        ///< encoded records not yet given to the wire
    IdIndex* index_ = nullptr; ///< null: the recording is small, and needs none
    std::shared_ptr<std::atomic<std::int64_t>> position_;
    EventCounter counter_; ///< events given to the wire
    RecordEvents record_events_{counter_};
    std::deque<Mark> marks_;               ///< of bytes not yet consumed
    std::uint64_t sent_ = 0;               ///< events sent whole
    std::string last_sent_;                ///< ID of the last of them
    std::optional<Clock::time_point> due_; ///< when to look for the next record
    bool at_end_ = false, failed_ = false, reported_ = false;
    bool dropping_ = false, stalled_ = false;
};

} // namespace sse
