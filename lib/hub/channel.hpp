// A stream of events: accepts them from publishers on any thread, assigns ids, and passes them to
// one shard for each event loop.
#pragma once

#include "hub/event_id.hpp"
#include "hub/log.hpp"
#include "hub/pages.hpp"
#include "hub/shard.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Calls `action` soon on the thread of loop `loop`; itself called on any thread.
using LoopExecutor = std::function<void(std::size_t loop, std::function<void()> action)>;

/// Throws Error (bad_input) for an id that cannot come back in a header: a field value holds no
/// control characters but HTAB (RFC 9110 5.5). The encoder refuses CR, LF and NUL.
void check_event_id(std::string_view id, std::size_t max_bytes);

/// Thread-safe. Owns its shards; each shard is used on the thread of its loop.
class Channel : public LogSink, public std::enable_shared_from_this<Channel> {
public:
    /// `wake(loop)` is called on the thread of a publisher or of a loop when shard(loop) has new
    /// batches. It must arrange for shard(loop).drain_inbox() to be called on that loop's thread.
    Channel(ChannelOptions options, std::size_t loops, std::function<void(std::size_t)> wake);

    /// What is published goes to `log`, as channel `name`, and from there to the shards, which read
    /// older events from it through `pages`, one for each loop. Before anything else is called; the
    /// arguments must outlive the last subscriber. The channel must be owned by a shared pointer.
    void use_log(Log& log, std::string_view name, std::vector<std::unique_ptr<Pages>>& pages,
                 LoopExecutor executor);
    /// Before anything else is called; nullptr: none.
    void use_hooks(std::shared_ptr<const WakeHooks> hooks) { hooks_ = std::move(hooks); }
    /// nullptr: none.
    const std::shared_ptr<ChannelLog>& log() const { return log_; }

    Shard& shard(std::size_t loop) { return *shards_[loop]; }
    const ChannelOptions& options() const { return options_; }

    /// Adds `event` to `batch`; generates an id if it has none. Throws Error (bad_input) if the
    /// event cannot be encoded, or if a client could not return its id in a Last-Event-ID header.
    void add(Batch& batch, EventView event, std::chrono::system_clock::time_point now);
    /// Numbers the events of `batch` and passes it to every shard. Blocks while more than
    /// `max_in_flight` bytes are waiting in the shards: this is how a full history stops an input.
    /// Returns false, and publishes nothing, once end() or close() has been called. With a log,
    /// also blocks while that cannot write, and stores `place` of `source` with the events (see
    /// Draft).
    bool publish(Batch batch, std::string source = {}, std::string place = {});
    /// publish() that never blocks, for publishers on a loop's thread. Returns false if it would
    /// block, or after end() or close(); `batch` is then unchanged. Not with a log.
    bool try_publish(Batch& batch);
    /// try_publish() with a log: `done` is called once the events are stored, or could not be, on
    /// any thread. `key`: see Draft.
    bool try_store(Batch& batch, std::string key, std::function<void(const Receipt&)> done);
    /// Publishing is over: releases publishers that wait, and ends each subscriber once it has been
    /// sent everything.
    void end();
    /// Releases publishers that wait; what they were to publish is discarded.
    void close();

    /// Calls `action` soon on the thread of loop `loop`. With a log; any thread.
    void run_on(std::size_t loop, std::function<void()> action) {
        executor_(loop, std::move(action));
    }

    // The log's side.
    void opened(LogTail tail) override;
    void arrived(std::shared_ptr<const Batch> batch, std::size_t drafted) override;
    void dropped(std::size_t bytes) override;
    void writable() override;

    using Clock = std::chrono::steady_clock;
    /// Marks the channel as used at `now`.
    void touch(Clock::time_point now) {
        touched_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    /// The last time of touch(), of a publication, or of a subscriber leaving. Any thread.
    Clock::time_point touched() const {
        return Clock::time_point(Clock::duration(touched_.load(std::memory_order_relaxed)));
    }

    /// The reconnection time sent to new subscribers (HTML 9.2.6); nullopt: none. Any thread.
    std::optional<std::chrono::milliseconds> retry() const;
    void set_retry(std::chrono::milliseconds retry) {
        retry_.store(retry.count(), std::memory_order_relaxed);
    }
    /// `tap` receives every batch in order, on the publisher's thread and under the channel's lock:
    /// it must only store the batch, and have tap_done() called with its bytes() once it has been
    /// processed. Publishers wait for that as they do for the shards. Call this before anything is
    /// published; `tap` must remain valid until publishing is over.
    void set_tap(std::function<void(std::shared_ptr<const Batch>)> tap) { tap_ = std::move(tap); }
    void tap_done(std::size_t bytes) { admitted(bytes); }

    /// From begin_loading() to end_loading() an input is being read that was there before the
    /// server, such as a file: events will come that clients may know. Any thread.
    void begin_loading() { loading_ = true; }
    void end_loading();
    bool loading() const { return loading_.load(); }
    /// `action` is called on a loop's thread when the history is full and nobody is subscribed, so
    /// that the input waits for a client. Set it before anything is published.
    void on_full(std::function<void()> action) { on_full_ = std::move(action); }

    /// Stands for the place before the first event, in the IDs that clients resume with.
    const std::string& start_id() const { return start_id_; }
    /// Some subscriber, of any loop, was sent every event before this number. Any thread.
    std::uint64_t delivered() const { return delivered_.load(); }
    /// Subscribers of all loops now. Any thread.
    std::size_t subscribers() const { return subscribers_.load(); }
    /// A subscriber had been sent everything when its loop ticked last. Any thread.
    bool has_idle_subscriber() const;
    /// Any thread.
    ChannelCounts counts() const;

private:
    friend class Pages;
    friend class Shard;
    /// One consumer has stored `bytes` of the batches that were passed to it.
    void admitted(std::size_t bytes);
    bool has_room() const { return in_flight_ < options_.max_in_flight * consumers(); }
    std::size_t consumers() const { return shards_.size() + (tap_ ? 1 : 0); }
    void enqueue(Batch&& batch);
    void pass_on(const std::shared_ptr<const Batch>& batch);
    bool append(Batch& batch, Draft& draft);
    void end_if_all_arrived();
    /// A subscriber of `by` was sent every event before `next`.
    void raise_delivered(std::uint64_t next, const Shard& by);
    void subscribed() { ++subscribers_; }
    /// A subscriber of `of` is gone.
    void unsubscribed(const Shard& of);
    void full() {
        if (on_full_) on_full_();
    }

    ChannelOptions options_;
    std::function<void(std::size_t)> wake_;
    std::function<void(std::shared_ptr<const Batch>)> tap_;
    std::function<void()> on_full_;
    const std::string start_id_;
    std::shared_ptr<ChannelLog> log_; ///< nullptr: none
    LoopExecutor executor_;           ///< with a log
    std::shared_ptr<const WakeHooks> hooks_;
    std::vector<std::unique_ptr<Shard>> shards_;
    std::atomic<std::uint64_t> delivered_{0};
    std::atomic<std::size_t> subscribers_{0};
    std::atomic<bool> loading_{false};
    std::atomic<std::int64_t> retry_; ///< ms; -1: none
    std::atomic<Clock::rep> touched_{Clock::now().time_since_epoch().count()};

    std::mutex mutex_; ///< guards what follows
    std::condition_variable room_;
    EventIds ids_;
    std::uint64_t next_ = 0;    ///< sequence number of the next entry
    Counter events_, bytes_;    ///< published; read without the lock
    std::size_t in_flight_ = 0; ///< bytes published and not yet stored, summed over consumers
    std::size_t drafts_ = 0;    ///< with the log, and neither arrived nor dropped
    bool log_full_ = false;     ///< the log took no draft, and has not said that it may now
    bool ended_ = false, closed_ = false;
};

/// Collects the events of one input into batches and publishes them. Used on one thread.
class Publisher {
public:
    explicit Publisher(Channel& channel);

    /// Throws Error (bad_input) if the event cannot be encoded; events added before are kept.
    void add(const EventView& event);
    void add_comment(std::string_view text);
    void add_retry(std::chrono::milliseconds retry);
    /// Publishes the events added so far. Call it whenever the input pauses, so that no event waits
    /// for the next one. Returns false once the channel accepts nothing more. `source`, `place`:
    /// see Draft.
    bool flush(std::string source = {}, std::string place = {});
    bool closed() const { return closed_; }

    /// What is added is kept until flush(), however much it is: for an input whose place is stored
    /// with its events, which the caller then publishes once they are large.
    void keep_until_flush() { keeps_ = true; }
    bool empty() const { return batch_.empty(); }
    bool is_large() const { return batch_.size() >= max_events_ || batch_.bytes() >= max_bytes_; }

private:
    void flush_if_large();

    Channel& channel_;
    std::size_t max_events_, max_bytes_;
    Batch batch_;
    std::chrono::system_clock::time_point now_;
    bool closed_ = false, keeps_ = false;
};

} // namespace sse
