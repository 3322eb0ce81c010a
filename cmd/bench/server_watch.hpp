// Measures the resources that the server process uses during the measurement.
#pragma once

#include "cmd/bench/figures.hpp"
#include "load/process_usage.hpp"

#include <optional>

namespace cmd {

/// Used on one thread. The members are called once each, in this order.
class ServerWatch {
public:
    /// Called before the run. `pid`: nullopt to watch nothing. Throws Failure (usage) if there is
    /// no such process.
    explicit ServerWatch(std::optional<int> pid);
    void on_measuring();
    void on_measured();
    /// nullopt if nothing was watched or measured, or if the process has ended.
    std::optional<ServerUsage> usage(const sse::LoadResult& load);

private:
    std::optional<int> pid_;
    std::optional<sse::ProcessUsage> before_, begin_, end_;
};

} // namespace cmd
