#include "check/check.hpp"

#include <algorithm>
#include <utility>

namespace sse::checks {

std::string_view to_string(Severity severity) {
    switch (severity) {
    case Severity::note: return "note";
    case Severity::warning: return "warn";
    case Severity::error: return "error";
    }
    return "";
}

Verdict passed() { return {}; }

Verdict not_applicable() {
    Verdict verdict;
    verdict.kind = Verdict::Kind::not_applicable;
    return verdict;
}

Verdict unknown(std::string why) {
    Verdict verdict;
    verdict.kind = Verdict::Kind::unknown;
    verdict.message = std::move(why);
    return verdict;
}

Verdict finding(Severity severity, std::string message, std::vector<std::string> evidence) {
    return {Verdict::Kind::finding, severity, std::move(message), std::move(evidence)};
}

std::vector<const Check*> catalogue() {
    std::vector<const Check*> all;
    for (const auto group : {connection_checks(), timing_checks(), compression_checks(),
                             format_checks(), resume_checks(), access_checks()}) {
        for (const auto& check : group) all.push_back(&check);
    }
    return all;
}

const Check* find_check(std::string_view id) {
    const auto all = catalogue();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Check* check) { return check->id == id; });
    return found == all.end() ? nullptr : *found;
}

std::vector<Result> judge(const Observations& seen) {
    std::vector<Result> results;
    for (const auto* check : catalogue()) results.push_back({check, check->judge(seen)});
    return results;
}

} // namespace sse::checks
