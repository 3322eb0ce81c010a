// What the process of the server uses while it is measured.
#pragma once

#include "cmd/bench/figures.hpp"
#include "load/process_usage.hpp"

#include <optional>

namespace cmd {

/// Its members are called on one thread, each at its time.
class ServerWatch {
public:
    /// Before the run. nullopt: nothing is watched. Throws Failure (usage) if there is no such
    /// process.
    explicit ServerWatch(std::optional<int> pid);
    void on_measuring();
    void on_measured();
    /// nullopt if nothing was watched or measured, or the process has gone.
    std::optional<ServerUsage> usage(const sse::LoadResult& load);

private:
    std::optional<int> pid_;
    std::optional<sse::ProcessUsage> before_, begin_, end_;
};

} // namespace cmd
