#include "cmd/cli/signal_thread.hpp"

#include <csignal>
#include <pthread.h>
#include <utility>

namespace cmd {

namespace {

sigset_t report_signals() {
    sigset_t set; // its functions are macros on some systems
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
#ifdef SIGINFO
    sigaddset(&set, SIGINFO);
#endif
    return set;
}

} // namespace

SignalThread::SignalThread(std::function<void()> action)
    : action_(std::move(action)) {
    const auto set = report_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread([this] { run(); });
}

SignalThread::~SignalThread() {
    ending_ = true;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join(); // the signals stay blocked: a late one must not end the process
}

void SignalThread::run() {
    const auto set = report_signals();
    while (true) {
        int number = 0;
        ::sigwait(&set, &number);
        if (ending_) return;
        action_();
    }
}

} // namespace cmd
