// Selects events by type and data. Does not print.
#pragma once

#include "base/glob.hpp"
#include "protocol/event.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cmd {

struct SelectOptions {
    std::vector<std::string> types; ///< -e: a sse::GlobList; empty selects all
    std::vector<std::string> grep;  ///< --grep: regular expressions of RE2; one match is enough
    bool invert = false;            ///< --invert: select events that no expression matches
};

/// One thread at a time.
class EventFilter {
public:
    /// Throws Failure (usage) that quotes an invalid expression.
    explicit EventFilter(const SelectOptions& options);
    ~EventFilter();

    /// True if `event` is selected. Takes time linear in the data.
    bool wants(const sse::EventView& event) const {
        return types_.selects(event.type) && (expressions_.empty() || matches(event));
    }

private:
    bool matches(const sse::EventView& event) const;

    class Expression;
    sse::GlobList types_;
    std::vector<std::unique_ptr<Expression>> expressions_;
    bool invert_;
};

} // namespace cmd
