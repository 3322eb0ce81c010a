// Writes histograms in the log format of HdrHistogram (version 1.3, histograms in encoding V2),
// which its libraries and plotting tools read. Returns text; opens no file.
#pragma once

#include "base/histogram.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sse {

/// The first lines of a log of histograms whose measurement began at `started`.
std::string histogram_log_head(std::chrono::system_clock::time_point started);

/// The line of a histogram for the time from `begin` to `end`, in seconds since the start. The
/// values are in nanoseconds, the maximum in the line in milliseconds. `tag` must not contain a
/// comma.
std::string histogram_log_line(std::string_view tag, double begin, double end,
                               const Histogram& histogram);

} // namespace sse
