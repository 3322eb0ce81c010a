// Computes how equally subscribers were served. No I/O.
#pragma once

#include "load/load_result.hpp"

#include <vector>

namespace sse {

/// `delays`: the mean delay of each subscriber in seconds, in the order of connecting.
LoadFairness load_fairness(std::vector<double> delays);

} // namespace sse
