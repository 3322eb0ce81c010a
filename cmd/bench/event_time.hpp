// Times in the data of events, as servers write them.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace cmd {

/// Since 1970, of `text`: RFC 3339, or a number of seconds, milliseconds, microseconds or
/// nanoseconds, which its size tells. nullopt for anything else.
std::optional<std::chrono::nanoseconds> parse_event_time(const std::string& text);

} // namespace cmd
