// How long a thread has waited for a processor.
#pragma once

#include <chrono>
#include <optional>

namespace sse {

/// How long this thread has waited for a processor in all, while it could run; nullopt where the
/// system does not tell.
std::optional<std::chrono::nanoseconds> run_delay();

} // namespace sse
