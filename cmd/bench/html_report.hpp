// The report of a load run as one HTML page that needs no other file.
#pragma once

#include "cmd/bench/reports.hpp"

#include <string>
#include <string_view>

namespace cmd {

/// The contents of page/report.html, with `{{data}}` in place of the data of the report.
extern const std::string_view bench_page;

/// The page, with tables, and plots of the times by percentile and of the delays and deliveries
/// during the run.
std::string html_report(const BenchSetup& setup, const BenchRun& run);

} // namespace cmd
