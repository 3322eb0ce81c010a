// The stream of a client that resumes after an event which the input files hold, and the history no
// longer does.
#pragma once

#include "handlers/channel_feed.hpp"
#include "input/file_rereads.hpp"
#include "server/feed.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// Sends the events of the files behind the client's last event ID, at the client's own pace, up to
/// the first one that the history holds. From there on, a ChannelFeed sends those of the channel.
/// That also serves a last event ID that the files do not hold: as a gap.
class RereadFeed final : public Feed {
public:
    /// Starts a reading behind that ID, which calls `wake` on the loop's thread; nullptr if too
    /// many are running.
    using StartReading = std::function<std::unique_ptr<FileReading>(std::string last_event_id,
                                                                    std::function<void()> wake)>;
    /// The feed of the channel, for a client with that last event ID.
    using MakeRest = std::function<std::unique_ptr<Feed>(std::string_view last_event_id)>;

    /// `first`, event-stream text, is sent before all else. `keepalive` must outlive the feed.
    RereadFeed(std::shared_ptr<Channel> channel, std::size_t loop, Framing framing,
               std::string_view last_event_id, std::string_view first, const Keepalive& keepalive,
               StartReading start_reading, MakeRest make_rest);
    ~RereadFeed() override;

    void attach(std::function<void()> wake) override;
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override { return blocks_.empty() && rest_ && rest_->ended(); }
    void tick(Clock::time_point now) override;
    StreamCounts counts() const override;
    Cut cut() const override { return rest_ ? rest_->cut() : Cut::no; }

private:
    bool read();
    bool is_held(std::string_view id);
    void add(std::string_view text);
    void take(const FileReading::Piece& piece);
    void end_reading();
    void go_on();

    std::shared_ptr<Channel> channel_;
    Shard& shard_;
    const Framing framing_;
    const Keepalive& keepalive_;
    StartReading start_reading_;
    MakeRest make_rest_;
    std::function<void()> wake_;
    std::shared_ptr<std::function<void()>> alive_; ///< wakes the connection; dies with this feed
    std::unique_ptr<FileReading> reading_;         ///< nullptr: at the end of the files
    std::string read_from_;                        ///< the ID after which reading_ started
    int ticks_at_end_ = 0;                         ///< since the end of the files was reached
    std::unique_ptr<Feed> rest_;                   ///< once it is the channel's turn
    std::string last_id_;                          ///< of the events up to the end of blocks_
    std::deque<std::string> blocks_;               ///< being sent before rest_, framed
    std::size_t sent_ = 0;                         ///< bytes of the first of them
    std::uint64_t events_ = 0;
    Clock::time_point last_sent_;
};

} // namespace sse
