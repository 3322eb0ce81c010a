// One event loop's part of a channel: its history and its subscribers.
#pragma once

#include "hub/counts.hpp"
#include "hub/history.hpp"
#include "hub/log.hpp"
#include "hub/subscriber.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

class Channel;
class Pages;

/// What happens when a new event would evict one that a subscriber has yet to be sent, or that no
/// subscriber has been sent yet. With a log, the subscriber goes on in the log, and nothing waits.
enum class Overflow {
    block,      ///< the publisher waits, as the writer of a full pipe does
    drop,       ///< the slow client skips to the oldest event held; a comment reports the loss
    disconnect, ///< the slow client is disconnected; it can reconnect and resume
};

/// The first event of a subscriber without a last event ID.
struct Start {
    enum class At {
        oldest, ///< in the history
        newest,
        last,
        all, ///< the oldest in the log; without one, in the history
    } at = At::oldest;
    std::size_t count = 0; ///< for `last`: events before the end
};

struct ChannelOptions {
    HistoryOptions history;
    Overflow overflow = Overflow::block;
    Start start;
    /// Bytes that are published and not yet in the history. Enough to keep a loop busy while its
    /// input is read, and small beside the history.
    std::size_t max_in_flight = 1024 * 1024;
    /// Bytes of an id: a client returns it in a request head, for which many servers and proxies
    /// allow 8 KiB.
    std::size_t max_id_bytes = 4096;
    /// For `block`: while the source waits for one client and others have been sent everything,
    /// the time is charged to that client, and taken off again while it does not. A client that is
    /// charged with more is disconnected. So it holds the others up for half of the time at most,
    /// in the long run; 0: no limit.
    std::chrono::milliseconds max_hold_up{30'000};
    /// Sent to each subscriber first: its reconnection time (HTML 9.2.6); nullopt: not sent.
    std::optional<std::chrono::milliseconds> retry;
    /// Type of the event that reports a loss to a page, which cannot see comments. Its data is
    /// `{"missed":N}`, with null for an unknown number; it has no id. "": no such event.
    std::string gap_event;
};

/// Called on a loop's thread before and after it wakes many subscribers, so that what they send can
/// be sent together. After `after`, they have been sent what there was, as far as they accept it.
struct WakeHooks {
    std::function<void(std::size_t loop)> before, after;
};

/// Used on its loop's thread only, without locks, except where a member says otherwise. Owned by
/// its channel.
class Shard {
public:
    Shard(Channel& channel, std::size_t loop);

    /// Adds `batch` to the inbox; nullptr marks the end of the channel. Any thread, called in the
    /// order of publication.
    void enqueue(std::shared_ptr<const Batch> batch);

    /// Moves batches from the inbox to the history, as far as the overflow policy admits them, and
    /// wakes the subscribers.
    void drain_inbox();
    /// The channel has ended and its last event is in the history.
    bool ended() const { return ended_; }
    History& history() { return history_; }
    /// The newest event in the history with that id, else the first one with it that waits for
    /// admission: a subscriber of another loop may have been sent it already.
    std::optional<std::uint64_t> find(std::string_view id);
    const ChannelOptions& options() const;
    /// Events that the history no longer holds can be read from a log.
    bool has_log() const { return pages_ != nullptr; }
    /// The history is what it was when the log was opened, and all since. Without a log, from the
    /// start.
    bool opened() const { return opened_; }
    /// The log holds the events from this one on.
    std::uint64_t log_begin() const;
    std::size_t subscribers() const { return subscribers_.size(); }
    /// See Channel::start_id().
    const std::string& start_id() const;
    /// What is not in the history, nor on its way to it, may still come from an input that is
    /// being loaded.
    bool may_find_more() const;
    using Clock = std::chrono::steady_clock;
    /// Updates `behind` and `lag` of the counts, and charges slow clients. Call it every few
    /// seconds or more often.
    void tick(Clock::time_point now);
    /// Read on any thread.
    ShardCounts& counts() { return counts_; }
    const ShardCounts& counts() const { return counts_; }

private:
    friend class Channel;
    friend class Pages;
    friend class Subscriber;
    /// Events are read from the channel's log through `pages`. Before anything else.
    void use_log(Pages& pages);
    /// The first of the inbox, with a log. Any thread.
    void enqueue_tail(std::shared_ptr<const LogTail> tail);
    /// The same on the loop's thread, or before it runs.
    void begin_with(const LogTail& tail);
    void restart(const Batch& batch);
    /// The page of the log that holds event `sequence`, if it is in memory; until the next action
    /// of the loop.
    const History* find_page(std::uint64_t sequence);
    /// Has the page read that `subscriber` needs next, and wakes it then.
    void request_page(Subscriber& subscriber);
    /// A page was read for the event `asked`.
    void page_arrived(std::uint64_t asked, const History& page);
    /// Finds the place of a subscriber in the log, which is told by located().
    void locate(const std::string& id);
    void located(const std::string& id, const LogPosition& position);
    void subscribe(Subscriber& subscriber);
    void unsubscribe(Subscriber& subscriber);
    /// A subscriber was sent every event before `next`.
    void progressed(std::uint64_t next);

    /// Any thread: a subscriber of another loop was sent more than any subscriber before.
    void wake_if_starved();
    void wake_loop();

    void measure_lag();
    void charge_slow(std::chrono::milliseconds passed);
    bool seek();
    bool make_room(const Batch& batch);
    bool can_evict(std::uint64_t begin);
    void wake_subscribers();
    void wake_each(std::vector<Subscriber*> subscribers);
    template <class Wake>
    void with_hooks(Wake wake_all);

    Channel& channel_;
    const std::size_t loop_;
    History history_;
    std::vector<Subscriber*> subscribers_; ///< nullptr: left while all were woken
    std::vector<Subscriber*> seeking_;     ///< those of them that look for their start
    std::vector<Subscriber*> reading_;     ///< those of them that wait for a page
    Pages* pages_ = nullptr;               ///< nullptr: no log
    bool opened_ = true;
    std::deque<std::shared_ptr<const Batch>> waiting_; ///< out of the inbox, not yet admitted
    std::uint64_t delivered_ = 0; ///< a subscriber of this loop was sent every event before this
    bool ending_ = false, ended_ = false;
    bool loaded_ = true;   ///< all that was loaded is in the history
    bool charged_ = false; ///< a subscriber has been charged with time
    Clock::time_point last_tick_{};
    std::vector<Subscriber*>* waking_each_ = nullptr; ///< those of wake_each(), while it runs
    bool draining_ = false, waking_ = false, has_holes_ = false;
    std::atomic<bool> starved_{false}; ///< waits for a subscriber of any loop to be sent more

    ShardCounts counts_;

    std::mutex mutex_; ///< guards what follows
    std::vector<std::shared_ptr<const Batch>> inbox_;
    std::shared_ptr<const LogTail> tail_; ///< comes before what is in the inbox
    bool wake_pending_ = false;           ///< drain_inbox() is due
};

} // namespace sse
