// One client's playing of a recording, as the body of its answer. Not the choice of the recording,
// nor of the place: those are PlaybackHandler's.
#pragma once

#include "http/feed.hpp"
#include "protocol/error.hpp"
#include "source/playback.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sse {

/// What whoever runs the playing hears of it; called on the loop's thread of the connection.
struct PlaybackReports {
    std::function<void()> played = [] {};                    ///< a client has had all
    std::function<void(const Error&)> failed = [](auto&) {}; ///< the recording cannot be read on
};

/// Sends records as they become due, on a clock that starts with the first gather(). Reads the
/// recording as it goes, so its size does not matter; a client that does not read stops the
/// reading.
class PlaybackFeed : public Feed {
public:
    /// Bytes that wait for the socket before no more are read.
    static constexpr std::size_t max_waiting_bytes = 64 * 1024;
    /// What a search for an id may take of the loop's time at once.
    static constexpr std::chrono::milliseconds search_slice{1};

    /// Plays `playback`. `reports` must outlive the feed.
    PlaybackFeed(std::unique_ptr<Playback> playback, Framing framing,
                 const PlaybackReports& reports);
    /// Goes on with `search`, whose end decides where the playing of `path` begins.
    PlaybackFeed(std::unique_ptr<IdSearch> search, std::string path, const PlaybackOptions& options,
                 Framing framing, const PlaybackReports& reports);

    /// Tells the client, by a comment before all else, that its id is not known.
    void tell_gap();

    void attach(std::function<void()>) override {}
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override { return at_end_ && out_.empty(); }
    std::optional<Clock::time_point> due() const override;
    Cut cut() const override { return failed_ && out_.empty() ? Cut::close : Cut::no; }

private:
    void search(Clock::time_point now);
    void fill(Clock::time_point now);
    void frame(std::string_view bytes);
    void report_end();

    std::unique_ptr<Playback> playback_;
    std::unique_ptr<IdSearch> search_;
    std::string path_;
    PlaybackOptions options_;
    Framing framing_;
    const PlaybackReports& reports_;
    std::string out_;   ///< framed, not yet taken by the socket but for `taken_`
    std::string block_; ///< being encoded
    std::size_t taken_ = 0;
    std::optional<Clock::time_point> due_; ///< of the next record, once looked at
    bool at_end_ = false, failed_ = false, reported_ = false;
};

} // namespace sse
