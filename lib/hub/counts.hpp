// What has happened in the channels of a server, in numbers: counted where it happens, summed when
// they are read.
#pragma once

#include "base/counter.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sse {

/// The counts of one shard. Written on its loop's thread, read on any; on a cache line of its own.
struct alignas(64) ShardCounts {
    Counter deliveries;        ///< events sent whole, once for each subscriber
    Counter missed;            ///< events evicted before a subscriber received them
    Counter slow_client_skips; ///< times that a subscriber was moved on to the oldest event held
    Counter subscribers;       ///< now
    Counter behind;            ///< subscribers not sent the newest event, at the last measure_lag()
    Counter
        lag; ///< events that the slowest subscriber has yet to be sent, at the last measure_lag()
    Counter history_events, history_bytes; ///< held now
};

/// The counts of a whole channel, or of all channels, at one moment.
struct ChannelCounts {
    std::uint64_t events = 0, bytes = 0; ///< published; bytes as encoded and framed
    std::uint64_t deliveries = 0, missed = 0, slow_client_skips = 0;
    std::uint64_t subscribers = 0, behind = 0, lag = 0;
    std::uint64_t history_events = 0,
                  history_bytes = 0; ///< of one shard: shards share their batches

    /// Adds the totals of `other`, but nothing of its present state: for a channel that is removed.
    void add_past(const ChannelCounts& other) {
        events += other.events;
        bytes += other.bytes;
        deliveries += other.deliveries;
        missed += other.missed;
        slow_client_skips += other.slow_client_skips;
    }
    /// Adds the totals and the present state of `other`.
    void add(const ChannelCounts& other) {
        add_past(other);
        subscribers += other.subscribers;
        behind += other.behind;
        lag = std::max(lag, other.lag);
        history_events += other.history_events;
        history_bytes += other.history_bytes;
    }
};

/// The state of what keeps events beyond memory, at one moment.
struct LogCounts {
    std::string error;              ///< why nothing can be written now; "": it can
    std::uint64_t queued_bytes = 0; ///< of events that are not written yet
    std::uint64_t bytes = 0, segments = 0, events = 0; ///< held
    std::uint64_t oldest_ms = 0; ///< when the oldest event was written, since 1970; 0: none is held
    std::uint64_t syncs = 0;
    double last_sync_seconds = 0;
    std::uint64_t duplicates = 0; ///< drafts with a key that was seen before
    std::uint64_t damaged = 0;    ///< places that were found damaged, whose events are lost
    /// What is counted of a log on another machine, since the start.
    struct Remote {
        std::uint64_t appends = 0; ///< batches that were stored
        double append_seconds = 0; ///< the sum of the times that it took
        std::uint64_t reconnects = 0;
        std::uint64_t chain_breaks = 0; ///< messages that did not come, noticed by the next one
        std::uint64_t stalls = 0;       ///< the same, noticed by comparing the ends
        std::uint64_t put_back = 0;     ///< batches that the log had lost
        std::uint64_t gaps = 0;         ///< times that it lost events for ever
        std::uint64_t duplicates = 0;   ///< drafts with a key that was seen before
        std::uint64_t refused = 0;      ///< drafts
        std::uint64_t pages = 0;        ///< read for clients
    };
    std::optional<Remote> remote;
};

/// The counts of a running server, for its metrics, status line and totals, whether it serves
/// channels or plays recordings. Any thread.
class CountsSource {
public:
    virtual ~CountsSource() = default;
    /// All channels together, including those that were removed.
    virtual ChannelCounts counts() const = 0;
    /// Each channel that exists now, sorted by name.
    virtual std::vector<std::pair<std::string, ChannelCounts>> by_channel() const { return {}; }
    /// nullopt if nothing is kept beyond memory.
    virtual std::optional<LogCounts> log_counts() const { return std::nullopt; }
    /// The position of a playback, for the status line; "" if there is none.
    virtual std::string position() const { return {}; }
    /// What was done, for the totals at the end; "": the counts say it.
    virtual std::string totals() const { return {}; }
};

} // namespace sse
