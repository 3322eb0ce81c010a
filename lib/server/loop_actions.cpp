#include "server/loop_actions.hpp"

#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <system_error>
#include <utility>

namespace sse {

struct LoopActions::SignalAction {
    SignalAction(asio::io_context& context, int number, std::function<void()> action)
        : signals(context, number)
        , act(std::move(action)) {}
    asio::signal_set signals;
    std::function<void()> act;
};

struct LoopActions::RepeatedAction {
    RepeatedAction(asio::io_context& context, std::chrono::microseconds every,
                   std::function<void()> action)
        : timer(context)
        , interval(every)
        , act(std::move(action)) {}
    asio::steady_timer timer;
    std::chrono::microseconds interval;
    std::function<void()> act;
};

LoopActions::LoopActions(asio::io_context& context)
    : context_(context) {}

LoopActions::~LoopActions() = default;

void LoopActions::on_signal(int number, std::function<void()> action) {
    on_signals_.push_back(std::make_unique<SignalAction>(context_, number, std::move(action)));
    wait(*on_signals_.back());
}

void LoopActions::every(std::chrono::microseconds interval, std::function<void()> action) {
    repeated_.push_back(std::make_unique<RepeatedAction>(context_, interval, std::move(action)));
    wait(*repeated_.back());
}

void LoopActions::wait(SignalAction& action) {
    action.signals.async_wait([&action](const std::error_code& error, int) {
        if (error) return;
        action.act();
        wait(action);
    });
}

void LoopActions::wait(RepeatedAction& action) {
    action.timer.expires_after(action.interval);
    action.timer.async_wait([&action](const std::error_code& error) {
        if (error) return;
        action.act();
        wait(action);
    });
}

} // namespace sse
