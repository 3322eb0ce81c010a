// Where the stats of a run are told: stderr, a file, and the line at the foot of a terminal.
#pragma once

#include "cmd/cli/signal_thread.hpp"
#include "cmd/tail/stats.hpp"
#include "cmd/term/terminal_line.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace cmd {

struct StatsOutputOptions {
    bool text = false; ///< on stderr
    std::string file;  ///< as JSON; "" for none
    bool live = false; ///< the line of a terminal
};

/// Made before the threads that are counted. Tells at the end, and at SIGUSR1.
class StatsOutput {
public:
    /// `stats` must outlive it. Throws std::system_error if the file cannot be written.
    StatsOutput(Stats& stats, StatsOutputOptions options);
    ~StatsOutput();
    StatsOutput(const StatsOutput&) = delete;
    StatsOutput& operator=(const StatsOutput&) = delete;

    /// For the last time. Throws std::system_error.
    void finish();

private:
    void tell();

    Stats& stats_;
    StatsOutputOptions options_;
    std::mutex mutex_; ///< one tells at a time
    int file_ = -1;
    std::unique_ptr<TerminalLine> line_;
    std::unique_ptr<SignalThread> asked_;
};

} // namespace cmd
