// The resource usage of another process on this machine: the server under load.
#pragma once

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace sse {

struct ProcessUsage {
    double cpu_seconds = 0; ///< user and system
    std::uint64_t resident_bytes = 0;
    std::optional<std::uint64_t> descriptors; ///< nullopt if the process belongs to another user
};

/// nullopt if there is no such process, or if the system does not provide this information.
std::optional<ProcessUsage> process_usage(pid_t pid);

} // namespace sse
