// How far a server is in a channel in Redis. Values only.
#pragma once

#include "hub/event_id.hpp"

#include <atomic>
#include <cstdint>

namespace sse {

/// Written by RedisStream, read by its drafts and its reader, all on the thread of the log.
struct RedisPosition {
    bool opened = false;     ///< the channel has its tail
    bool live = false;       ///< in sync with Redis: messages are accepted as they arrive
    std::uint64_t next = 0;  ///< the sequence number after the newest event seen
    EventId last;            ///< the id of that event
    std::uint64_t bytes = 0; ///< of all events of the channel up to it
    /// The sequence number of the oldest event in Redis, at the last check. Any thread.
    std::atomic<std::uint64_t> begin{0};
};

} // namespace sse
