// Runs a command for each event (--exec), with its data on stdin and its fields in the environment.
// Not a printer, and not a queue: the caller waits until there is room for another command.
#pragma once

#include "base/child_process.hpp"
#include "base/interrupt.hpp"
#include "base/wake_pipe.hpp"
#include "cmd/tail/printer.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace cmd {

struct ExecOptions {
    std::string command;  ///< for /bin/sh -c; "" for none
    std::size_t jobs = 1; ///< commands at a time; with one, each ends before the next begins
    bool stop = false;    ///< --exec-fail stop: the first failure ends the run
    /// Data beyond this is on stdin only: systems bound one variable (Linux to 128 KiB) and all of
    /// them together.
    std::size_t max_variable_bytes = 64 * 1024;
    /// Time between SIGTERM and SIGKILL for commands that still run at the end.
    std::chrono::milliseconds grace{1'000};
};

/// One thread for each of the jobs. run() and finish() on one thread at a time.
class Executor {
public:
    /// Throws std::system_error. `interrupt` must outlive it; it is raised (failed) where a failure
    /// ends the run.
    /// `on_ended` is called on the thread of a job with the number of the first commands that have
    /// all ended, each time it has grown.
    Executor(ExecOptions options, sse::Interrupt& interrupt,
             std::function<void(std::uint64_t)> on_ended = {});
    /// Ends the commands that still run.
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    /// Waits until run() can start a command at once; false if interrupted before.
    bool wait_for_room();
    /// Starts the command for an event, in the order of the calls, when there is room for it.
    /// False if it was interrupted, or an earlier failure ends the run: nothing was started then.
    bool run(const ReceivedEvent& received);
    /// Commands started since the beginning.
    std::uint64_t started() const { return started_; }
    /// Waits for all running commands; false if interrupted before.
    bool finish();
    /// The first failure, where it ends the run; else "".
    std::string failure() const;

private:
    void end();
    struct Job {
        std::uint64_t number = 0;
        std::string data, name; ///< for its stdin; the event as messages name it
        std::vector<std::string> variables;
    };
    bool take_slot();
    void free_slot();
    void run_jobs();
    /// Runs the command; "" if it succeeded, else why not.
    std::string execute(const Job& job);
    void end_all(int signal);
    void on_done(std::uint64_t number);

    ExecOptions options_;
    sse::Interrupt& interrupt_;
    sse::WakePipe room_;       ///< set while free_ is not 0
    mutable std::mutex mutex_; ///< guards what follows
    std::condition_variable change_;
    std::size_t free_ = 0; ///< jobs that there is room for
    std::deque<Job> jobs_;
    std::set<const sse::Child*> running_;
    std::string failure_;
    std::function<void(std::uint64_t)> on_ended_;
    std::uint64_t started_ = 0, ended_ = 0; ///< ended_: the first commands that all have ended
    std::set<std::uint64_t> ended_early_;   ///< numbers beyond ended_
    bool ending_ = false;
    std::vector<std::thread> threads_;
};

} // namespace cmd
