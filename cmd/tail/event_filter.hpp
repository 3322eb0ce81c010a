// Which events are wanted: by type, and by what is in their data. Knows no output.
#pragma once

#include "base/glob.hpp"
#include "protocol/event.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cmd {

struct SelectOptions {
    std::vector<std::string> types; ///< -e: as GlobList takes them
    std::vector<std::string> grep;  ///< --grep: extended regular expressions; any may match
    bool invert = false;            ///< --invert: none of them may match
};

class EventFilter {
public:
    /// Throws Failure that quotes an expression that is none.
    explicit EventFilter(const SelectOptions& options);
    ~EventFilter();

    bool wants(const sse::EventView& event) const;

private:
    struct Expression;
    sse::GlobList types_;
    std::vector<std::unique_ptr<Expression>> expressions_;
    bool invert_;
};

} // namespace cmd
