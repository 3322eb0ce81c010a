// Makes the result of a load from those of its runs. Values only.
#pragma once

#include "load/load_result.hpp"

#include <vector>

namespace sse {

/// `shares`: in the order of LoadOptions::first_number. The result has no series. Fairness by skew
/// compares each subscriber with the first of its own run.
LoadResult merge_shares(std::vector<LoadShare> shares);

/// Adds the interval of another run. Its events count once: all runs receive the same ones.
void add_interval(const LoadInterval& more, LoadInterval& interval);

} // namespace sse
