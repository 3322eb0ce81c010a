// One reader of a channel. Not a connection: it says what to send next, and is told what was sent.
#pragma once

#include "hub/history.hpp"
#include "protocol/chunked.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sse {

class Shard;

/// A place in a shard's history, and how much of that place's bytes the socket has taken. It queues
/// nothing, so a stalled reader costs these few words however long it stalls. Used on its shard's
/// loop thread only.
class Subscriber {
public:
    /// Begins after the event `last_event_id`; "" begins where the channel says. An id that the
    /// history does not hold begins at the oldest event, and is a gap().
    Subscriber(Shard& shard, Framing framing, std::string_view last_event_id);
    ~Subscriber();
    Subscriber(const Subscriber&) = delete;
    Subscriber& operator=(const Subscriber&) = delete;

    /// Asked for a last event ID that is no longer, or was never, in the history.
    bool gap() const { return gap_; }
    /// From now on `wake` is called whenever there may be more to gather, or the end is reached.
    void listen(std::function<void()> wake);

    /// Views of all that there is to send now, in order, as far as `out` goes; valid until the next
    /// call, or the shard's next take().
    std::size_t gather(std::span<std::string_view> out);
    /// The socket has taken the first `bytes` of it.
    void consume(std::size_t bytes);
    /// Sent before anything else: a comment or a retry, framed here.
    void say(std::string_view block);
    /// Sent before anything else: that events are missing, `missed` of them (nullopt: not known).
    void say_gap(std::string_view comment, std::optional<std::uint64_t> missed);

    /// All that the channel will ever have was sent.
    bool ended() const;
    /// The channel's policy is to disconnect it, since it fell behind the history.
    bool overrun() const { return overrun_; }
    /// Events that it was to have and that were pushed out before.
    std::uint64_t missed() const { return missed_; }
    /// Events (and other entries of the history) that it was sent whole.
    std::uint64_t delivered() const { return delivered_; }
    /// The id of the last of them, while the history holds it; else "".
    std::string_view last_id() const;
    std::uint64_t next() const { return cursor_.next; }

private:
    friend class Shard;
    /// Everything before `begin` is about to be pushed out.
    void skip_to(std::uint64_t begin);
    void wake() {
        if (wake_) wake_();
    }
    std::uint64_t start(std::string_view last_event_id);

    Shard& shard_;
    Cursor cursor_;
    std::size_t slot_ = 0; ///< in the shard's list
    std::function<void()> wake_;
    std::string rest_; ///< to send before the cursor's bytes
    std::size_t rest_sent_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t missed_ = 0, untold_ = 0; ///< in all; and since it was last told
    Framing framing_;
    bool gap_ = false, overrun_ = false;
};

} // namespace sse
