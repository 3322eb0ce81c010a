// The counters of a store in Redis: written on its thread, read on any.
#pragma once

#include "base/counter.hpp"

#include <atomic>
#include <cstdint>

namespace sse {

struct RedisCounts {
    Counter appends, append_us;   ///< publications stored by this server; total time
    Counter reconnects;           ///< connections that broke
    Counter chain_breaks, stalls; ///< lost messages: found by the next one, or by a check
    Counter put_back, gaps;       ///< entries; times that events were lost which no server had
    Counter duplicates, refused;  ///< drafts with a known key; drafts that Redis refused
    Counter pages;                ///< read for clients
    Counter damaged;              ///< entries that could not be read
    std::atomic<std::uint64_t> queued_bytes{0}; ///< of drafts that are not settled
    std::atomic<bool> seen{false}; ///< a message of this server to itself has come back
};

} // namespace sse
