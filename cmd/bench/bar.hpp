// The expressions of --fail: a figure of the report, a comparison, and a limit.
#pragma once

#include "cmd/bench/figures.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cmd {

struct Bar {
    enum class Comparison : std::uint8_t { less, at_most, equal, at_least, more };

    std::string text; ///< as it was typed
    std::string figure;
    Comparison comparison = Comparison::less;
    double limit = 0; ///< in seconds if the figure is a time
};

/// Parses `p99<250ms`, `lost=0`, `connect.p99 <= 1s`. Throws sse::Error (invalid_argument), which
/// quotes `text`, if it has no comparison, names an unknown figure, or has a limit of another kind
/// than the figure.
Bar parse_bar(std::string_view text);

/// True if the expression is true. It is false if the figure was not measured.
bool holds(const Bar& bar, const std::vector<Figure>& figures);

/// The measured value, for a message: `p99 is 312ms`.
std::string told(const Bar& bar, const std::vector<Figure>& figures);

} // namespace cmd
