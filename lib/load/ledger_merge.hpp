// Makes the counts of one stream from the ledgers of several processes, each of which knows only
// what its own subscribers received. No I/O, no clock.
#pragma once

#include "base/histogram.hpp"
#include "load/event_ledger.hpp"

#include <cstdint>
#include <vector>

namespace sse {

struct MergedLedgers {
    LedgerCounts counts;
    Histogram skew;             ///< from the first arrival of an event anywhere to the last
    std::uint64_t measured = 0; ///< events whose first arrival is in the measured time
};

/// `from_ns`: skew counts for events that arrived first after it. Events are the same if their keys
/// are. Numbered events are ordered by their numbers, others by their order in the ledgers; what
/// that leaves open, by their arrival. Needs some 150 bytes for each event.
MergedLedgers merge_ledgers(std::vector<LedgerRecord> records, std::int64_t from_ns);

} // namespace sse
