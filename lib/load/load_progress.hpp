// Counters of a load run, for a progress line.
#pragma once

#include "base/counter.hpp"

namespace sse {

/// Written on the thread of the run, read on any.
struct LoadProgress {
    Counter started, open, failed, deliveries, events;
    Counter measuring; ///< 1 once the warm-up has passed
    Counter measured;  ///< 1 once the measured time is over
};

} // namespace sse
