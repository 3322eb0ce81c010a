// Finds when an event was made, from a time in its ID or its data.
#pragma once

#include <optional>
#include <string_view>

namespace sse::checks {

/// The first time in `text`, in seconds since 1970, that is within a day of `now`: milliseconds
/// since 1970 as 13 digits, seconds with a fraction, or `2026-11-22T05:00:00.123Z`. Whole seconds
/// are too coarse and are skipped.
std::optional<double> find_time(std::string_view text, double now);

} // namespace sse::checks
