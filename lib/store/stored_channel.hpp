// A channel of a store, as the writer and the segments know it. Values only.
#pragma once

#include "hub/event_id.hpp"

#include <cstdint>
#include <string>

namespace sse {

/// Where a channel ends.
struct ChannelEnd {
    std::uint64_t next = 0; ///< the sequence number of its next event
    EventId last;           ///< its greatest generated id
};

/// A channel of a store. Never removed.
struct StoredChannel {
    std::string name;
    ChannelEnd end;      ///< of the written records; guarded by the lock of Segments
    ChannelEnd assigned; ///< of the records being written; used by the writer only
};

} // namespace sse
