// How a server stops: because of a signal, or because it is asked to.
#pragma once

#include "server/loop.hpp"

#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <cstddef>
#include <functional>
#include <vector>

namespace sse {

class Acceptor;

/// Stops the acceptor, drains the loops, and stops them once they have no client left. Used on the
/// thread of loop 0 unless a member says otherwise.
class Shutdown {
public:
    /// All must outlive it. `loops` holds loop 0 at least.
    Shutdown(const ServerOptions& options, const Loops& loops, Acceptor& acceptor);

    /// Handles SIGINT and SIGTERM from now on: the first drains with grace, the second stops at
    /// once.
    void catch_signals();
    /// They have their default action again.
    void release_signals();
    /// Calls `action` when a signal asks to stop, before anything is drained. Every action that was
    /// added is called.
    void on_stop(std::function<void()> action) { actions_.push_back(std::move(action)); }
    /// Stops the loops when all of them have drained. Called once, before the loops run.
    void watch_loops();
    /// Stops accepting, and lets every connection end by itself. If `with_grace`, the loops are
    /// stopped after the grace time although connections are left.
    void drain(bool with_grace);

    /// drain() was called. Any thread.
    bool stopping() const { return stopping_; }
    /// The signal that stopped the loops before all connections had ended, or 0.
    int result() const { return result_; }

private:
    void wait_for_signal();
    void stop_loops();

    const ServerOptions& options_;
    const Loops& loops_;
    Acceptor& acceptor_;
    asio::signal_set signals_;
    asio::steady_timer grace_;
    std::vector<std::function<void()>> actions_;
    std::size_t busy_loops_ = 0;
    int signal_ = 0; ///< the first that asked to stop
    int result_ = 0;
    std::atomic<bool> stopping_{false};
};

} // namespace sse
