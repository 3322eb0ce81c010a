// The report of sse check, in its formats.
#pragma once

#include "check/check.hpp"
#include "check/observation.hpp"
#include "check/remedies.hpp"

#include <string>
#include <vector>

namespace cmd {

struct CheckReport {
    sse::checks::Observations seen;
    std::vector<sse::checks::Result> results; ///< in the order of the catalogue
    std::vector<std::string> servers;         ///< servers whose remedies are shown
};

/// For people; `width` columns. Text from the server is escaped.
std::string text_report(const CheckReport& report, bool colour, std::size_t width);
/// One JSON object, as man/sse-check.schema.json describes it.
std::string json_report(const CheckReport& report);
/// JUnit's XML, a test case per check.
std::string junit_report(const CheckReport& report);
/// Workflow commands of GitHub Actions, a line per finding.
std::string github_report(const CheckReport& report);

/// The explanation of `check`, for people.
std::string explanation(const sse::checks::Check& check, std::size_t width);
/// The explanations of `checks` as a JSON array. Remedies for particular servers, which several
/// checks share, are in a member of their own.
std::string explanation_json(const std::vector<const sse::checks::Check*>& checks);

} // namespace cmd
