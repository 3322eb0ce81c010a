// The report of a load run in its formats.
#pragma once

#include "cmd/bench/figures.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace cmd {

/// The settings of a run that a report shows.
struct BenchSetup {
    std::vector<std::string> urls; ///< without secrets
    std::chrono::system_clock::time_point started;
    double warm_up = 0; ///< s
};

/// For people.
std::string text_report(const BenchSetup& setup, const BenchRun& run);
/// One object as man/sse-bench.schema.json describes it, and a line end.
std::string json_report(const BenchSetup& setup, const BenchRun& run);
/// One line about an interval, for people.
std::string interval_line(const sse::LoadInterval& interval);
/// `figure,value,unit`, a line each.
std::string csv_report(const BenchRun& run);

} // namespace cmd
