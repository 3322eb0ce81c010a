// Runs an action on SIGUSR1, such as printing statistics.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace cmd {

/// During its lifetime SIGUSR1 (and SIGINFO, on systems that have it) runs `action` on a thread of
/// its own. Create it before other threads: they must inherit the blocked signals. At most one
/// object exists at a time.
class SignalThread {
public:
    explicit SignalThread(std::function<void()> action);
    ~SignalThread();
    SignalThread(const SignalThread&) = delete;
    SignalThread& operator=(const SignalThread&) = delete;

private:
    void run();

    std::function<void()> action_;
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

} // namespace cmd
