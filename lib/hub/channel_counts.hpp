// What happened in a channel so far, in numbers: kept where it happens, summed when somebody asks.
#pragma once

#include "base/counter.hpp"

#include <algorithm>
#include <cstdint>

namespace sse {

/// A shard's own. Written on its loop's thread, on a cache line that nobody else writes.
struct alignas(64) ShardCounts {
    Counter deliveries;        ///< events, once for each subscriber they were sent to
    Counter missed;            ///< events pushed out before a subscriber had them
    Counter slow_client_skips; ///< times that a subscriber was pushed on
    Counter subscribers;       ///< now
    Counter behind;            ///< of them, not sent the newest event; as of the last measure_lag
    Counter lag; ///< events that the slowest of them lacks; as of the last measure_lag
    Counter history_events, history_bytes; ///< held now
};

/// The same for a whole channel, at one moment.
struct ChannelCounts {
    std::uint64_t events = 0, bytes = 0; ///< published; bytes as they are encoded and framed
    std::uint64_t deliveries = 0, missed = 0, slow_client_skips = 0;
    std::uint64_t subscribers = 0, behind = 0, lag = 0;
    std::uint64_t history_events = 0, history_bytes = 0; ///< of one shard: they share their batches

    /// Adds what has happened in another channel.
    void add_past(const ChannelCounts& other) {
        events += other.events;
        bytes += other.bytes;
        deliveries += other.deliveries;
        missed += other.missed;
        slow_client_skips += other.slow_client_skips;
    }
    /// And what there is in it now.
    void add(const ChannelCounts& other) {
        add_past(other);
        subscribers += other.subscribers;
        behind += other.behind;
        lag = std::max(lag, other.lag);
        history_events += other.history_events;
        history_bytes += other.history_bytes;
    }
};

} // namespace sse
