// The report of a load run as one page that needs nothing else.
#pragma once

#include "cmd/bench/reports.hpp"

#include <string>
#include <string_view>

namespace cmd {

/// page/report.html, with `{{data}}` where the data of the report belong.
extern const std::string_view bench_page;

/// The page with tables, and plots of the times by percentile and of the course of the run.
std::string html_report(const BenchSetup& setup, const BenchRun& run);

} // namespace cmd
