// One loop's side of a channel: its history and its subscribers. Not thread-safe but for send():
// everything else is the loop's own, so that sending takes no lock.
#pragma once

#include "hub/channel_counts.hpp"
#include "hub/history.hpp"
#include "hub/subscriber.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

class Channel;

/// What happens when the next event would push one out that a subscriber still needs, or that
/// nobody has had yet.
enum class Overflow {
    block,      ///< the publisher waits, as the writer of a full pipe does
    drop,       ///< the laggard goes on with the oldest event that is left, and is told the loss
    disconnect, ///< the laggard's stream is cut; it can come back and resume
};

/// Where a subscriber without a last event ID begins.
struct Start {
    enum class At { oldest, newest, last } at = At::oldest;
    std::size_t count = 0; ///< for `last`: how many events before the end
};

struct ChannelOptions {
    HistoryOptions history;
    Overflow overflow = Overflow::block;
    Start start;
    /// Bytes published and not yet admitted to the history. Enough to keep a loop busy while its
    /// source is being read, and small beside the history.
    std::size_t max_in_flight = 1024 * 1024;
    /// Told to each subscriber at its start, for its reconnections (HTML 9.2.6); nullopt: not said.
    std::optional<std::chrono::milliseconds> retry;
    /// Type of an event that tells a subscriber of a loss beside the comment, which a page cannot
    /// see: `{"missed":N}`, null if nobody knows. It has no id. "": none.
    std::string gap_event;
};

class Shard {
public:
    Shard(Channel& channel, std::size_t loop);

    /// Any thread, in the order of the channel. nullptr: the end.
    void send(std::shared_ptr<const Batch> batch);

    /// Admits what has been sent, as far as the overflow policy lets it, and wakes the subscribers.
    void take();
    /// Nothing more will come.
    bool ended() const { return ended_; }
    History& history() { return history_; }
    /// The newest event held with that id, or else the first with it that is still to be admitted:
    /// another loop's subscriber may have had it already.
    std::optional<std::uint64_t> find(std::string_view id);
    const ChannelOptions& options() const;
    std::size_t subscribers() const { return subscribers_.size(); }
    /// Looks how far behind the subscribers are, for the counts.
    void measure_lag();
    ShardCounts& counts() { return counts_; }
    const ShardCounts& counts() const { return counts_; }

private:
    friend class Channel;
    friend class Subscriber;
    void subscribe(Subscriber& subscriber);
    void unsubscribe(Subscriber& subscriber);
    /// A subscriber has been sent everything before `next`.
    void progressed(std::uint64_t next);

    /// Any thread: another loop's subscribers have had more than anybody had before.
    void wake_if_starved();
    void wake_loop();

    bool make_room(const Batch& batch);
    bool can_evict(std::uint64_t begin);
    void wake_all();

    Channel& channel_;
    const std::size_t loop_;
    History history_;
    std::vector<Subscriber*> subscribers_;             ///< nullptr: gone while being woken
    std::deque<std::shared_ptr<const Batch>> waiting_; ///< sent, and not yet admitted
    std::uint64_t delivered_ = 0;                      ///< all before this has been had by somebody
    bool ending_ = false, ended_ = false;
    bool taking_ = false, waking_ = false, holes_ = false;
    std::atomic<bool> starved_{false}; ///< waits for somebody, of any loop, to have more

    ShardCounts counts_;

    std::mutex mutex_; ///< guards what follows
    std::vector<std::shared_ptr<const Batch>> inbox_;
    bool woken_ = false;
};

} // namespace sse
