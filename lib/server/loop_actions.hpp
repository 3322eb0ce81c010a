// What a loop does besides its connections: actions on signals, and at intervals.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace sse {

/// Calls its actions on the thread of one loop. Used on that thread, or before the loop runs.
class LoopActions {
public:
    /// `context` must outlive it.
    explicit LoopActions(asio::io_context& context);
    ~LoopActions();

    /// Calls `action` for each signal `number`.
    void on_signal(int number, std::function<void()> action);
    /// Calls `action` every `interval`.
    void every(std::chrono::microseconds interval, std::function<void()> action);

private:
    struct SignalAction;
    struct RepeatedAction;
    static void wait(SignalAction& action);
    static void wait(RepeatedAction& action);

    asio::io_context& context_;
    std::vector<std::unique_ptr<SignalAction>> on_signals_;
    std::vector<std::unique_ptr<RepeatedAction>> repeated_;
};

} // namespace sse
