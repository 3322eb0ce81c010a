// A check: a function that judges the observations, with the texts that explain it.
#pragma once

#include "check/observation.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sse::checks {

enum class Severity : std::uint8_t { note, warning, error };
/// `note`, `warn` or `error`, as on the command line.
std::string_view to_string(Severity severity);

/// The result of one check for one set of observations.
struct Verdict {
    enum class Kind : std::uint8_t {
        passed,
        finding,
        unknown,        ///< it could not be decided; `message` says why
        not_applicable, ///< the observations do not concern it
    };
    Kind kind = Kind::passed;
    Severity severity = Severity::error; ///< of a finding
    std::string message;                 ///< one line: the problem
    std::vector<std::string> evidence;   ///< one line each, with figures
};

Verdict passed();
Verdict not_applicable();
Verdict unknown(std::string why);
Verdict finding(Severity severity, std::string message, std::vector<std::string> evidence = {});

/// Groups of remedies that depend on the server; see remedies.hpp.
enum class Cure : std::uint8_t {
    none,
    unbuffer,   ///< send each event at once
    uncompress, ///< do not compress event streams, or flush
    keep_open,  ///< longer time limits
};

struct Check {
    std::string_view id;
    Severity severity;         ///< the highest severity of its findings
    std::string_view title;    ///< the problem, as a phrase
    std::string_view looks_at; ///< what is examined, with thresholds: a few sentences
    std::string_view why;      ///< why it happens and what it does to clients
    std::string_view fix;      ///< the remedy that does not depend on the server
    Cure cure;
    Verdict (*judge)(const Observations&);
};

/// All checks, in the order of the report.
std::vector<const Check*> catalogue();
/// The check with this ID; nullptr if there is none.
const Check* find_check(std::string_view id);

// The groups, each in a file of its own.
std::span<const Check> timing_checks();
std::span<const Check> compression_checks();
std::span<const Check> connection_checks();
std::span<const Check> format_checks();
std::span<const Check> resume_checks();
std::span<const Check> access_checks();

/// A check with its verdict.
struct Result {
    const Check* check = nullptr;
    Verdict verdict;
};
/// The verdicts of all checks.
std::vector<Result> judge(const Observations& seen);

} // namespace sse::checks
