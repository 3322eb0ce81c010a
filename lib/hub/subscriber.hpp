// One client's position in a channel.
#pragma once

#include "hub/history.hpp"
#include "protocol/chunked.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sse {

class Shard;
struct LogPosition;

/// A cursor into a shard's history. It queues no events, so a stalled client costs a few words.
/// Used on its shard's loop thread only.
class Subscriber {
public:
    /// Starts after the event with id `last_event_id`; "" starts where the channel's options say.
    /// An id that is not held starts at the oldest event, and sets gap(). But with a log it is
    /// looked for there first, and while the channel is loading in what the input still holds.
    /// Until it is found, nothing is sent, and the input does not wait for this subscriber.
    Subscriber(Shard& shard, Framing framing, std::string_view last_event_id);
    ~Subscriber();
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    /// The last event ID it was created with is not held.
    bool gap() const { return gap_; }
    /// Its start is being looked for.
    bool seeking() const { return search_ != nullptr; }
    /// The id that a client has which was sent every event before the next one: that of an event,
    /// or the channel's start_id(). "" if the history does not tell.
    std::string_view position_id() const;
    /// Tells the client the id to resume with before it has received an event. Needless where it
    /// would start with the same event again.
    void prepend_position();
    /// There is something to send.
    bool has_more() const;
    /// `wake` is called whenever there may be more to gather, or the end is reached.
    void on_wake(std::function<void()> wake);
    /// Calls it.
    void wake() {
        if (wake_) wake_();
    }

    /// Fills `out` with views of the bytes to send next; returns the number of views. They are
    /// valid until the next call, and until the shard's next drain_inbox().
    std::size_t gather(std::span<std::string_view> out);
    /// The first `bytes` of what gather() returned were sent.
    void consume(std::size_t bytes);
    /// Sends `block`, whole lines of event-stream text, before the next event.
    void prepend(std::string_view block);
    /// Sends, before the next event, what tells the client of its gap().
    void prepend_gap();

    struct Taken {
        std::string_view block; ///< without framing
        std::string_view id;    ///< "" if it has none
    };
    /// Instead of gather() and consume(), for a stream that is not sent as it is stored: the next
    /// block, which counts as sent from then on; nullopt if there is none. Valid until the next
    /// call, and until the shard's next drain_inbox(). Only with Framing::close_delimited.
    std::optional<Taken> take();

    /// The channel has ended, and everything was sent.
    bool ended() const;
    /// It is too slow, and the channel's policy is to disconnect it.
    bool overrun() const { return overrun_; }
    /// Events that were evicted before they were sent to it.
    std::uint64_t missed() const { return extra_ ? extra_->missed : 0; }
    /// Events and other entries of the history that were sent whole.
    std::uint64_t delivered() const { return delivered_; }
    /// The id of the last event sent; "" if there is none, or the history no longer holds it.
    std::string_view last_id() const;
    /// The sequence number of the first event not sent whole.
    std::uint64_t next() const { return cursor_.next; }

private:
    friend class Shard;
    /// What an idle subscriber has no use for.
    struct Extra {
        std::string prefix; ///< to send before the bytes at the cursor
        std::size_t prefix_sent = 0;
        std::string taken;                        ///< the prefix that take() returned
        std::uint64_t missed = 0, unreported = 0; ///< in all; since the last report to the client
    };
    /// The events before `begin` are about to be evicted: skips them.
    void skip_to(std::uint64_t begin);
    /// The log has lost the events before `begin`: skips them.
    void skip_lost(std::uint64_t begin);
    /// The log has lost the events from `lost_from` on that were sent, and may hold others with
    /// their numbers: those are sent, after a gap. With unknown_number, the client must reconnect.
    void go_back(std::uint64_t lost_from);
    void count_missed(std::uint64_t begin);
    Extra& extra();
    void release_extra();
    bool has_prefix() const { return extra_ && !extra_->prefix.empty(); }
    std::size_t gather_from(const History& events, Cursor at,
                            std::span<std::string_view> out) const;
    std::size_t gather_pages(std::span<std::string_view> out);
    std::size_t consume_pages(std::size_t bytes);
    void advance(const History& events, std::size_t bytes);
    std::uint64_t start(std::string_view last_event_id);
    std::uint64_t start_without_id();
    std::optional<std::uint64_t> after(std::string_view id);
    /// Looks for its start again, and passes over the events that came since.
    void seek();
    /// `id` was looked for in the log. True if it is that of this subscriber, which has its start
    /// now.
    bool located(std::string_view id, const LogPosition& position);
    /// What it looked for is not held: begins at `next`.
    void begin_with_gap(std::uint64_t next);
    /// A comment and the channel's gap event: `missed` events were lost (nullopt: an unknown
    /// number).
    void prepend_loss(std::string_view comment, std::optional<std::uint64_t> missed);
    /// It made the source wait for `time` longer, or (negative) did not. False if nothing is
    /// charged.
    bool charge(std::chrono::milliseconds time);

    Shard& shard_;
    Cursor cursor_;
    std::size_t slot_ = 0; ///< its index in the shard's list
    std::function<void()> wake_;
    std::uint64_t delivered_ = 0;
    std::unique_ptr<Extra> extra_;
    /// The last event ID while it is looked for, and where.
    struct Search {
        enum class In { opening, log, loading } in;
        std::string id; ///< "": begins where the options say, once the channel is opened
    };
    std::unique_ptr<Search> search_;
    std::chrono::duration<std::uint32_t, std::milli> held_up_{0}; ///< see ChannelOptions
    Framing framing_;
    bool gap_ = false, overrun_ = false;
    bool reading_ = false; ///< waits for a page: it is in its shard's list
};

} // namespace sse
