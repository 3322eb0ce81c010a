// A signal that asks for something to be said, and not to end: answered beside whatever waits.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace cmd {

/// While it lives, SIGUSR1 (and SIGINFO, Ctrl-T, where there is one) runs `action` on a thread of
/// its own. To be made before other threads, which inherit that the signals are blocked. One at a
/// time.
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
