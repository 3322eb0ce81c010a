// The time of day as a number.
#pragma once

#include <chrono>
#include <cstdint>

namespace sse {

/// Milliseconds since 1970.
inline std::uint64_t
unix_ms(std::chrono::system_clock::time_point time = std::chrono::system_clock::now()) {
    const auto since = time.time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

} // namespace sse
