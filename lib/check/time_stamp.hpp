// Finds the time at which an event was created, in its ID or its data.
#pragma once

#include <optional>
#include <string_view>

namespace sse::checks {

/// The first time in `text`, in seconds since 1970, that is within a day of `now`: since 1970,
/// milliseconds as 13 digits, microseconds as 16 digits or seconds as 10, with or without a
/// fraction; or `2026-11-22T05:00:00.123Z`, which needs no fraction either.
std::optional<double> find_time(std::string_view text, double now);

} // namespace sse::checks
