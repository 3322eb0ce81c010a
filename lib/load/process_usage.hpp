// What another process of this machine uses: the server under load.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace sse {

struct ProcessUsage {
    double cpu_seconds = 0; ///< user and system
    std::uint64_t resident_bytes = 0;
    std::optional<std::uint64_t> descriptors; ///< nullopt: of another user
};

/// nullopt if there is no such process, or the system does not tell.
std::optional<ProcessUsage> process_usage(pid_t pid);

} // namespace sse
