// Runs a command for each event (--exec): its data on stdin, what it is in the environment. Not a
// printer, and not a queue: whoever has an event to run waits until there is room.
#pragma once

#include "base/interrupt.hpp"
#include "cmd/tail/printer.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace cmd {

struct ExecOptions {
    std::string command;  ///< for /bin/sh -c; "" for none
    std::size_t jobs = 1; ///< commands at a time; with one, each ends before the next begins
    bool stop = false;    ///< --exec-fail stop: the first that fails ends it all
    /// Data beyond this is on stdin only: systems bound one variable (Linux to 128 KiB) and all of
    /// them together.
    std::size_t max_variable_bytes = 64 * 1024;
    /// Commands that have not ended so long after they were told to are made to.
    std::chrono::milliseconds grace{1'000};
};

/// A thread a job. run() and finish() on one thread at a time.
class Executor {
public:
    /// Throws std::system_error. `interrupt` must outlive it; it is raised (failed) where a failure
    /// is to end it all.
    Executor(ExecOptions options, sse::Interrupt& interrupt);
    /// Ends what still runs.
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    /// Waits until run() need not; false if interrupted before.
    bool wait_for_room();
    /// Starts the command for an event, in the order of the calls, when there is room for it.
    /// False: it was interrupted, or is to stop, and nothing was started.
    bool run(const ReceivedEvent& received);
    /// Waits for all that run; false if interrupted before.
    bool finish();
    /// What failed first, where that is to end it all; else "".
    std::string failure() const;

private:
    /// Ends all that runs.
    void end();
    struct Job {
        std::string data, name; ///< what is written to stdin; the event, for a message
        std::vector<std::string> variables;
    };
    bool take_slot();
    void free_slot();
    void work();
    /// "" if it went well.
    std::string execute(const Job& job);
    void end_all(int signal);

    ExecOptions options_;
    sse::Interrupt& interrupt_;
    int slots_[2] = {-1, -1}; ///< a byte for each job that there is room for
    mutable std::mutex mutex_;
    std::condition_variable change_;
    std::deque<Job> jobs_;
    std::set<pid_t> running_;
    std::string failure_;
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace cmd
