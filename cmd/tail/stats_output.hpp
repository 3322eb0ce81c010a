// Writes the statistics to stderr, to a file, and to the status line of the terminal.
#pragma once

#include "cmd/cli/signal_thread.hpp"
#include "cmd/tail/stats.hpp"
#include "cmd/term/terminal_line.hpp"

#include <memory>
#include <mutex>
#include <string>

namespace cmd {

struct StatsOutputOptions {
    bool text = false; ///< print text on stderr
    std::string file;  ///< write JSON to this file; "" for none
    bool live = false; ///< show a status line
};

/// Writes on SIGUSR1 and on finish(). Create it before other threads (see SignalThread).
class StatsOutput {
public:
    /// `stats` must outlive it. Throws std::system_error if the file cannot be written.
    StatsOutput(Stats& stats, StatsOutputOptions options);
    ~StatsOutput();
    StatsOutput(const StatsOutput&) = delete;
    StatsOutput& operator=(const StatsOutput&) = delete;

    /// Removes the status line and writes for the last time. Throws std::system_error.
    void finish();

private:
    void write();

    Stats& stats_;
    StatsOutputOptions options_;
    std::mutex mutex_; ///< serialises write()
    int file_ = -1;
    std::unique_ptr<TerminalLine> line_;
    std::unique_ptr<SignalThread> signal_thread_;
};

} // namespace cmd
