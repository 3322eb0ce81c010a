// A named stream of events: takes them from publishers on any thread, gives them ids, and hands
// them to one shard for each loop. Not a server: it has never heard of a socket.
#pragma once

#include "hub/event_id.hpp"
#include "hub/shard.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

namespace sse {

/// The publishing side is thread-safe; a shard belongs to its loop.
class Channel {
public:
    /// `wake(loop)` is called on a publisher's or a loop's thread when shard(loop).take() has
    /// something to do, and must have it called on that loop's thread soon.
    Channel(ChannelOptions options, std::size_t loops, std::function<void(std::size_t)> wake);

    Shard& shard(std::size_t loop) { return *shards_[loop]; }
    const ChannelOptions& options() const { return options_; }

    /// Adds `event` to `batch`, with an id of ours if it has none. Throws Error (bad_input).
    void add(Batch& batch, EventView event, std::chrono::system_clock::time_point now);
    /// Gives `batch` its place in the order of all publishers and sends it on its way to every
    /// shard. Waits while more than `max_in_flight` bytes are on theirs: this is how a full history
    /// stops a source. False once end() or close() has been called: nothing more is taken.
    bool publish(Batch batch);
    /// The same without waiting: false if it would have to wait, or nothing more is taken. `batch`
    /// is then as it was. For publishers on a loop's thread.
    bool try_publish(Batch& batch);
    /// Nothing will be published any more, and waiting publishers are let go; subscribers that have
    /// had all are at their end.
    void end();
    /// Lets waiting publishers go, and refuses what they had.
    void close();

    using Clock = std::chrono::steady_clock;
    /// Somebody took an interest in it at `now`.
    void touch(Clock::time_point now) {
        touched_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    /// When it was last touched, published to or left by a subscriber. Any thread.
    Clock::time_point touched() const {
        return Clock::time_point(Clock::duration(touched_.load(std::memory_order_relaxed)));
    }

    /// The reconnection time that new subscribers are told (HTML 9.2.6). Any thread.
    std::optional<std::chrono::milliseconds> retry() const;
    void set_retry(std::chrono::milliseconds retry) {
        retry_.store(retry.count(), std::memory_order_relaxed);
    }
    /// `tap` is given every batch, in order, at once and under a lock: it must only put it aside,
    /// and call tapped() when it is done with it, which publishers wait for as they do for the
    /// loops. Set before anything is published; it must outlive all publishing.
    void set_tap(std::function<void(std::shared_ptr<const Batch>)> tap) { tap_ = std::move(tap); }
    void tapped(std::size_t bytes) { arrived(bytes); }

    /// Everything before this has been had by some subscriber, of any loop. Any thread.
    std::uint64_t delivered() const { return delivered_.load(); }
    /// Any thread.
    ChannelCounts counts() const;

private:
    friend class Shard;
    void arrived(std::size_t bytes);
    bool has_room() const { return in_flight_ < options_.max_in_flight * takers(); }
    std::size_t takers() const { return shards_.size() + (tap_ ? 1 : 0); }
    void send(Batch&& batch);
    void deliver(std::uint64_t next, const Shard& by);

    ChannelOptions options_;
    std::function<void(std::size_t)> wake_;
    std::function<void(std::shared_ptr<const Batch>)> tap_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::atomic<std::uint64_t> delivered_{0};
    std::atomic<std::int64_t> retry_; ///< ms; -1: none
    std::atomic<Clock::rep> touched_{Clock::now().time_since_epoch().count()};

    std::mutex mutex_; ///< guards what follows
    std::condition_variable room_;
    EventIds ids_;
    std::uint64_t next_ = 0;    ///< sequence number of the next entry
    Counter events_, bytes_;    ///< published; read without the lock
    std::size_t in_flight_ = 0; ///< bytes published and not yet in every history, once a taker
    bool ended_ = false, closed_ = false;
};

/// Collects the events of one source into batches of a good size. One thread.
class Publisher {
public:
    explicit Publisher(Channel& channel);

    /// Throws Error (bad_input) if the event cannot be encoded; the others are not touched.
    void add(const EventView& event);
    void add_comment(std::string_view text);
    void add_retry(std::chrono::milliseconds retry);
    /// Publishes what was added. Called when the source pauses: an event is never held back for
    /// company. False once the channel takes nothing more.
    bool flush();
    bool closed() const { return closed_; }

private:
    void flush_if_large();

    Channel& channel_;
    std::size_t max_events_, max_bytes_;
    Batch batch_;
    std::chrono::system_clock::time_point now_;
    bool closed_ = false;
};

} // namespace sse
