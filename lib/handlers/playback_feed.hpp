// One client's playing of a recording, as the body of its answer. Not the choice of the recording,
// nor of the place: those are PlaybackHandler's.
#pragma once

#include "base/error.hpp"
#include "playback/id_index.hpp"
#include "playback/playback.hpp"
#include "playback/wire.hpp"
#include "protocol/parser.hpp"
#include "server/feed.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace sse {

/// What whoever runs the playing hears of it; called on the loop's thread of the connection.
struct PlaybackReports {
    std::function<void()> played = [] {};                    ///< a client has had all
    std::function<void(const Error&)> failed = [](auto&) {}; ///< the recording cannot be read on
    std::function<void(std::uint64_t)> sent = [](auto) {};   ///< so many more events went out whole
};

/// Sends records as they become due, on a clock that starts with the first gather(). Reads the
/// recording as it goes, so its size does not matter; a client that does not read stops the
/// reading.
class PlaybackFeed : public Feed {
public:
    /// Bytes that wait for the socket before no more are read.
    static constexpr std::size_t max_waiting_bytes = 64 * 1024;
    /// What the reading may take of the loop's time at once.
    static constexpr std::chrono::milliseconds slice{1};
    /// How often a recording that is still being written is looked at for more.
    static constexpr std::chrono::milliseconds look_again{50};

    /// Plays `playback`. `reports` must outlive the feed.
    PlaybackFeed(std::unique_ptr<Playback> playback, Framing framing, const PlaybackFaults& faults,
                 const PlaybackReports& reports);
    /// Goes on with `search`, whose end decides where the playing of `path` begins.
    PlaybackFeed(std::unique_ptr<IdSearch> search, std::string path, PlaybackOptions options,
                 Framing framing, const PlaybackFaults& faults, const PlaybackReports& reports);

    /// Tells the client, by a comment before all else, that its id is not known.
    void tell_gap();

    /// Keeps `t` of what it plays there, in microseconds.
    void show_in(std::shared_ptr<std::atomic<std::int64_t>> shown) { shown_ = std::move(shown); }
    /// Puts the ids that it plays into `index`, which must outlive it.
    void remember_in(IdIndex& index) { index_ = &index; }

    void attach(std::function<void()>) override {}
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override { return at_end_ && wire_.empty() && !faults_.reset; }
    std::optional<Clock::time_point> due() const override;
    Cut cut() const override;
    StreamCounts counts() const override;

private:
    /// Counts the events that are given to the wire, those in recorded reads too.
    struct Counter : Parser::Sink {
        std::uint64_t events = 0;
        std::string last_id; ///< of those that had one
        void on_event(const EventView& event) override {
            ++events;
            if (event.id) last_id.assign(*event.id);
        }
        bool on_too_large() override { // for the counting: it is sent as it was
            ++events;
            return true;
        }
    };
    /// What had been given to the wire when it had framed so many bytes.
    struct Mark {
        std::uint64_t framed, events;
        std::string last_id;
    };

    void search(Clock::time_point now);
    void fill(Clock::time_point now);
    void play(const Record& record);
    void send_block();
    void mark();
    void report_end();

    std::unique_ptr<Playback> playback_;
    std::unique_ptr<IdSearch> search_;
    std::string path_;
    PlaybackOptions options_;
    PlaybackFaults faults_;
    const PlaybackReports& reports_;
    PlaybackWire wire_;
    std::string block_;        ///< being encoded
    IdIndex* index_ = nullptr; ///< of the recording, if it is large
    std::shared_ptr<std::atomic<std::int64_t>> shown_;
    Counter counter_;
    std::deque<Mark> marks_;               ///< of what is not taken yet
    std::uint64_t sent_ = 0;               ///< events
    std::string last_sent_;                ///< id of the last of them
    std::unique_ptr<Parser> parser_;       ///< of recorded reads
    std::optional<Clock::time_point> due_; ///< of the next record, once looked at
    bool at_end_ = false, failed_ = false, reported_ = false;
    bool dropping_ = false, stalled_ = false;
};

} // namespace sse
