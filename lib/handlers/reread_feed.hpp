// The stream of a client that resumes after an event which the history no longer holds, and files
// do: these are read again, for this client alone.
#pragma once

#include "handlers/channel_feed.hpp"
#include "hub/channel.hpp"
#include "server/feed.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// A second reading of the input, on a thread of its own. Stopped by its destructor.
class Reread {
public:
    virtual ~Reread() = default;
    Reread(const Reread&) = delete;
    Reread& operator=(const Reread&) = delete;
    /// It is loading from the start, and ends where the files end.
    virtual const std::shared_ptr<Channel>& channel() const = 0;
    /// Begins to read. Called once.
    virtual void start() = 0;

protected:
    Reread() = default;
};

/// Makes one; nullptr if too many are running, or the input cannot be read again. Any thread.
using MakeReread = std::function<std::unique_ptr<Reread>()>;

/// First the events of the files behind the last event ID of the client, at its own pace, then
/// those of the channel behind the last of these. A last event ID that the files do not hold is
/// left to the channel's feed.
class RereadFeed final : public Feed {
public:
    /// Makes the feed of the channel itself, for a client with that last event ID, which was also
    /// sent the `sent` entries behind it.
    using MakeRest =
        std::function<std::unique_ptr<Feed>(std::string_view last_event_id, std::uint64_t sent)>;

    /// `first`, event-stream text, is sent before all else. `keepalive` must outlive the feed.
    RereadFeed(std::unique_ptr<Reread> reread, std::size_t loop, Framing framing,
               std::string_view last_event_id, std::string_view first, const Keepalive& keepalive,
               MakeRest make_rest);
    ~RereadFeed() override;

    void attach(std::function<void()> wake) override;
    std::size_t gather(Clock::time_point now, std::span<std::string_view> out) override;
    void consume(std::size_t bytes) override;
    bool ended() const override { return rest_ && rest_->ended(); }
    void tick(Clock::time_point now) override;
    StreamCounts counts() const override;
    Cut cut() const override { return rest_ ? rest_->cut() : Cut::no; }

private:
    void add_block(std::string_view block);
    void go_on();

    std::unique_ptr<Reread> reread_;         ///< nullptr once rest_ is there
    std::unique_ptr<Subscriber> subscriber_; ///< of reread_
    std::unique_ptr<Feed> rest_;
    const Framing framing_;
    std::string last_event_id_;
    std::string block_; ///< being sent: `first`, or what keeps the stream open
    std::uint64_t events_ = 0;
    std::function<void()> wake_;
    const Keepalive& keepalive_;
    Clock::time_point last_sent_;
    MakeRest make_rest_;
};

} // namespace sse
