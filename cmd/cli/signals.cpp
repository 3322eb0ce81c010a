#include "cmd/cli/signals.hpp"

#include <atomic>
#include <csignal>

namespace cmd {

namespace {

constexpr int caught_signals[] = {SIGINT, SIGTERM, SIGHUP};
std::atomic<sse::Interrupt*> raised{nullptr};
std::atomic<int> first_signal{0};

extern "C" void handle(int number) {
    int none = 0;
    if (!first_signal.compare_exchange_strong(none,
                                              number)) { // the second signal
        std::signal(number, SIG_DFL);
        std::raise(number);
        return;
    }
    if (auto* interrupt = raised.load()) interrupt->raise();
}

} // namespace

Signals::Signals(sse::Interrupt& interrupt) {
    first_signal = 0;
    raised = &interrupt;
    struct sigaction action {};
    action.sa_handler = handle; // without SA_RESTART, so that blocked calls return
    for (const int number : caught_signals) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler != SIG_IGN)
            ::sigaction(number, &action, nullptr); // else ignored, as under nohup
    }
}

Signals::~Signals() {
    for (const int number : caught_signals) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler == handle) std::signal(number, SIG_DFL);
    }
    raised = nullptr;
}

int Signals::caught() const { return first_signal; }

} // namespace cmd
