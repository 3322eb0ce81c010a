// One load in several processes, each of which has a share of the subscribers (LoadRun) and hands
// over its result through a pipe. The processes share no state but counters.
#pragma once

#include "base/descriptor.hpp"
#include "base/interrupt.hpp"
#include "load/load_message.hpp"
#include "load/load_options.hpp"
#include "load/load_progress.hpp"
#include "load/load_result.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sse {

/// Used on one thread, but for progress().
class LoadWorkers {
public:
    /// Starts `count` processes, which connect at once; at most as many as there are subscribers.
    /// Called before this process has threads. Throws std::system_error.
    LoadWorkers(const LoadOptions& options, std::size_t count);
    /// Kills processes that still run.
    ~LoadWorkers();
    LoadWorkers(const LoadWorkers&) = delete;
    LoadWorkers& operator=(const LoadWorkers&) = delete;

    /// Returns once all have ended; the interrupt makes them end. Calls the callbacks of the
    /// options here, once all have come so far. Throws Error if one failed, or ended without a
    /// result.
    void run(Interrupt& interrupt);
    /// After run().
    const LoadResult& result() const { return result_; }
    const LoadProgress& progress() const { return progress_; }

private:
    struct Shared;
    struct Worker {
        pid_t pid = -1;
        Descriptor pipe;
        LoadMessages messages;
        std::optional<LoadShare> share;
        std::size_t intervals = 0; ///< received
    };
    /// An interval that not all processes have ended yet.
    struct OpenInterval {
        LoadIntervalMessage sum;
        std::size_t shares = 0;
    };

    void start(std::size_t number);
    void work(std::size_t number, pid_t parent, int pipe) const;
    void read(Worker& worker);
    void on_message(Worker& worker, const LoadMessages::Message& message);
    void on_interval(Worker& worker, const LoadIntervalMessage& message);
    void count_progress();
    void reap(Worker& worker);

    const LoadOptions options_;
    Shared* shared_; ///< memory of all processes
    std::vector<Worker> workers_;
    std::map<std::size_t, OpenInterval> intervals_; ///< by number
    LoadResult result_;
    std::vector<LoadInterval> series_;
    LoadProgress progress_;
    bool all_started_ = false, measuring_ = false, measured_ = false;
};

} // namespace sse
