// Which events are wanted: by type, and by what is in their data. Knows no output.
#pragma once

#include "protocol/event.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cmd {

struct SelectOptions {
    std::vector<std::string> types; ///< -e: globs with * and ?; `!` before one excludes; empty: all
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
    std::vector<std::string> types_, excluded_;
    std::vector<std::unique_ptr<Expression>> expressions_;
    bool invert_;
};

/// True if all of `text` is as `pattern` says: `*` any bytes, `?` any one byte. Linear in both but
/// for what the last `*` tries again.
bool matches_glob(std::string_view pattern, std::string_view text);

} // namespace cmd
