// Times as text (RFC 3339), written in UTC with milliseconds.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace sse {

/// Appends `time` as `2026-11-22T05:00:00.123Z`. Fast where the second is that of the call before
/// on the same thread.
void append_rfc3339(std::chrono::system_clock::time_point time, std::string& out);

/// The same as a value.
std::string rfc3339(std::chrono::system_clock::time_point time);

/// Microseconds since 1970 of `2026-11-22T05:00:00.123Z` or `...+01:00`; nullopt for other text,
/// and for years before 1970 or after 2261, which the system clock cannot represent.
std::optional<std::chrono::microseconds> parse_rfc3339(const std::string& text);

} // namespace sse
