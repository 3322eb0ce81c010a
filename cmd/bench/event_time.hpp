// Parses times that servers write into the data of events.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace cmd {

/// The time in `text`, since 1970: RFC 3339, or a number of seconds, milliseconds, microseconds or
/// nanoseconds, as its size shows. nullopt for anything else.
std::optional<std::chrono::nanoseconds> parse_event_time(const std::string& text);

} // namespace cmd
