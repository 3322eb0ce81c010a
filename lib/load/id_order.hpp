// The order of event IDs that count: `42`, `evt-42`, `1795000000000-3`. No server has to number its
// IDs, but most do, and then it is known which of two events is the later one.
#pragma once

#include "load/event_ledger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// For the IDs of one stream, which have one form: the first one tells whether they are numbers.
class IdOrder {
public:
    /// Larger for a later event; 0 for all if they are not numbers. nullopt for an ID of another
    /// form than the first.
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
