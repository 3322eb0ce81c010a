#include "server/shutdown.hpp"

#include "server/acceptor.hpp"

#include <asio/post.hpp>
#include <csignal>
#include <system_error>

namespace sse {

Shutdown::Shutdown(const ServerOptions& options, const Loops& loops, Acceptor& acceptor)
    : options_(options)
    , loops_(loops)
    , acceptor_(acceptor)
    , signals_(loops[0]->context)
    , grace_(loops[0]->context) {}

void Shutdown::catch_signals() {
    std::error_code ignored;
    signals_.add(SIGINT, ignored);
    signals_.add(SIGTERM, ignored);
    wait_for_signal();
}

void Shutdown::release_signals() {
    std::error_code ignored;
    signals_.clear(ignored);
}

void Shutdown::wait_for_signal() {
    signals_.async_wait([this](const std::error_code& error, int number) {
        if (error) return;
        if (signal_ != 0) { // the second: at once
            result_ = number;
            return stop_loops();
        }
        signal_ = number;
        // Before the actions end any stream. On loop 0 at once: what a loop posts to itself waits
        // for the end of its handler, and streams may end before.
        loops_[0]->set_stopping();
        for (const auto& loop : loops_)
            asio::post(loop->context, [&loop = *loop] { loop.set_stopping(); });
        for (const auto& action : actions_) action();
        drain(true);
        wait_for_signal();
    });
}

void Shutdown::watch_loops() {
    busy_loops_ = loops_.size();
    for (const auto& loop : loops_) {
        loop->on_empty = [this] {
            asio::post(loops_[0]->context, [this] {
                if (--busy_loops_ == 0) stop_loops();
            });
        };
    }
}

void Shutdown::drain(bool with_grace) {
    if (!stopping_.exchange(true)) {
        acceptor_.stop();
        for (const auto& loop : loops_)
            asio::post(loop->context, [&loop = *loop] { loop.drain(); });
    }
    if (!with_grace) return;
    grace_.expires_after(options_.grace);
    grace_.async_wait([this](const std::error_code& error) {
        if (error) return;
        result_ = signal_;
        stop_loops();
    });
}

void Shutdown::stop_loops() {
    for (const auto& loop : loops_) loop->context.stop();
}

} // namespace sse
