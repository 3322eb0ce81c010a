#include "cmd/bench/server_watch.hpp"

#include "cmd/cli/command.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace cmd {

ServerWatch::ServerWatch(std::optional<int> pid)
    : pid_(pid) {
    if (!pid_) return;
    before_ = sse::process_usage(*pid_);
    if (!before_) {
        throw Failure(
            Exit::usage, fmt::format("cannot read the resource usage of process {}", *pid_),
            "give --pid the number of a process on this machine; this works only on Linux");
    }
}

void ServerWatch::on_measuring() {
    if (pid_) begin_ = sse::process_usage(*pid_);
}

void ServerWatch::on_measured() {
    if (pid_) end_ = sse::process_usage(*pid_);
}

std::optional<ServerUsage> ServerWatch::usage(const sse::LoadResult& load) {
    if (pid_ && !end_) on_measured(); // ended before its time
    if (!begin_ || !end_) return std::nullopt;
    ServerUsage usage;
    const auto cpu = end_->cpu_seconds - begin_->cpu_seconds;
    usage.cpu = cpu / std::max(load.seconds, 1e-9);
    if (load.deliveries > 0) usage.cpu_per_delivery = cpu / static_cast<double>(load.deliveries);
    usage.resident_bytes = end_->resident_bytes;
    if (load.opened > 0 && end_->resident_bytes > before_->resident_bytes) {
        usage.bytes_per_subscriber =
            static_cast<double>(end_->resident_bytes - before_->resident_bytes) /
            static_cast<double>(load.opened);
    }
    usage.descriptors = end_->descriptors;
    return usage;
}

} // namespace cmd
