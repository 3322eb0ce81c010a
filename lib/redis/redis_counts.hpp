// What a store in Redis counts: written on its thread, read on any.
#pragma once

#include "base/counter.hpp"

#include <atomic>
#include <cstdint>

namespace sse {

struct RedisCounts {
    Counter appends, append_us;   ///< stored by this server; the sum of the times that it took
    Counter reconnects;           ///< connections that broke
    Counter chain_breaks, stalls; ///< messages that did not come: found by the next, or by a look
    Counter put_back, gaps;       ///< entries; times that events were lost that nobody had
    Counter duplicates, refused;  ///< drafts with a known key; drafts that Redis refused
    Counter pages;                ///< read for clients
    Counter damaged;              ///< entries that could not be read
    std::atomic<std::uint64_t> queued_bytes{0}; ///< of drafts that are not settled
    std::atomic<bool> seen{false};              ///< a message of our own has come back
};

} // namespace sse
