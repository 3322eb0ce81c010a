// Writes histograms in the log format of HdrHistogram (version 1.3, histograms in encoding V2),
// which its libraries and plotters read. Text only: no file.
#pragma once

#include "base/histogram.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sse {

/// The first lines of a log of histograms that `started` then.
std::string histogram_log_head(std::chrono::system_clock::time_point started);

/// The line of a histogram of the time from `begin` to `end` seconds since the start. Values are in
/// nanoseconds, the maximum of the line is in milliseconds. `tag` holds no comma.
std::string histogram_log_line(std::string_view tag, double begin, double end,
                               const Histogram& histogram);

} // namespace sse
