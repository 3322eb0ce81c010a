// Times as text (RFC 3339), in UTC with milliseconds.
#pragma once

#include <chrono>
#include <string>

namespace sse {

/// Appends `time` as `2026-11-22T05:00:00.123Z`. Fast where the second is that of the call before
/// on the same thread.
void append_rfc3339(std::chrono::system_clock::time_point time, std::string& out);

/// The same as a value.
std::string rfc3339(std::chrono::system_clock::time_point time);

} // namespace sse
