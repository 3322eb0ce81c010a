#include "server/loop.hpp"

#include "server/server_connection.hpp"

#include <algorithm>
#include <utility>

namespace sse {

Loop::Loop(const ServerOptions& server_options, Handler& routes, std::size_t index)
    : options(server_options)
    , handler(routes)
    , number(index)
    , tick_(context) {
    arm_tick();
}

Loop::~Loop() { cut_all(); }

void Loop::arm_tick() {
    tick_.expires_after(options.tick);
    tick_.async_wait([this](const std::error_code& error) {
        if (error) return;
        const auto now = Feed::Clock::now();
        for (std::size_t i = 0; i < connections_.size();) {
            const auto connection = connections_[i]; // it may go, and another take its place
            connection->tick(now);
            if (i < connections_.size() && connections_[i] == connection) ++i;
        }
        handler.tick(number);
        arm_tick();
    });
}

void Loop::add(std::shared_ptr<ServerConnection> connection) {
    if (cut_) return; // it came too late, and goes with this call
    connection->slot = connections_.size();
    if (!connection->listener().admin) ++clients_;
    connections_.push_back(connection);
    connection->start();
    if (winding_down_ && !connection->listener().admin) connection->wind_down();
}

void Loop::remove(ServerConnection& connection) {
    const auto slot = connection.slot;
    if (!connection.listener().admin) {
        --clients_;
        counts.closed.add();
        if (connection.refused()) counts.refused_closed.add();
    }
    std::swap(connections_[slot], connections_.back());
    connections_[slot]->slot = slot;
    const auto last = std::move(connections_.back()); // dies when this returns, not before
    connections_.pop_back();
    tell_if_empty();
}

void Loop::wind_down() {
    winding_down_ = true;
    const auto connections = connections_; // they may go
    for (const auto& connection : connections) {
        if (!connection->listener().admin) connection->wind_down();
    }
    tell_if_empty();
}

void Loop::tell_if_empty() {
    if (winding_down_ && clients_ == 0 && on_empty && !std::exchange(said_empty_, true)) on_empty();
}

bool Loop::make_room() {
    // A client that has just come may not have had its turn yet, and none is slower than this.
    constexpr std::chrono::seconds grace{1};
    if (fresh.empty() || std::chrono::steady_clock::now() - fresh.front().since < grace)
        return false;
    fresh.front().connection->yield_place();
    return true;
}

void Loop::cut_all() {
    cut_ = true;
    const auto connections = connections_;
    for (const auto& connection : connections) connection->cut();
}

} // namespace sse
