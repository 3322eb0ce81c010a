// The order of event IDs that contain a number: `42`, `evt-42`, `1795000000000-3`. Servers need not
// number their IDs, but most do, and then it is known which of two events is later.
#pragma once

#include "load/event_ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// For the IDs of one stream, which all have the same form. The first ID determines that form.
class IdOrder {
public:
    /// A place that is larger for a later event, or 0 for all if they contain no number. nullopt
    /// for an ID of another form than the first one.
    std::optional<EventPlace> place_of(std::string_view id);

private:
    enum class Form : std::uint8_t { unknown, text, number, pair };
    struct Parsed {
        std::string_view prefix;
        Form form;
        EventPlace place;
    };
    static Parsed parse(std::string_view id);

    Form form_ = Form::unknown;
    std::string prefix_; ///< before the number
};

} // namespace sse
