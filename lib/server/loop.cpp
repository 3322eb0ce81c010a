#include "server/loop.hpp"

#include "server/server_connection.hpp"

#include <utility>

namespace sse {

Loop::Loop(const ServerOptions& server_options, std::size_t index)
    : options(server_options)
    , number(index)
    , writer(server_options.idle_timeout)
    , sends(server_options.io)
    , random(random_bits())
    , tick_(context) {
    arm_tick();
}

Loop::~Loop() { close_all(); }

void Loop::arm_tick() {
    tick_.expires_after(options.tick);
    tick_.async_wait([this](const std::error_code& error) {
        if (error) return;
        const auto now = Clock::now();
        sends.begin(); // heartbeats
        for (std::size_t i = 0; i < connections_.size();) {
            const auto connection = connections_[i]; // it may be removed, and another take its slot
            connection->tick(now);
            if (i < connections_.size() && connections_[i] == connection) ++i;
        }
        sends.end();
        if (on_tick) on_tick();
        arm_tick();
    });
}

void Loop::add(std::shared_ptr<ServerConnection> connection) {
    if (closed_) return; // its last owner was this call
    connection->slot = connections_.size();
    if (!connection->listener().admin) ++clients_;
    connections_.push_back(connection);
    connection->start();
    if (draining_ && !connection->listener().admin) connection->drain();
}

void Loop::remove(ServerConnection& connection) {
    const auto slot = connection.slot;
    if (!connection.listener().admin) {
        --clients_;
        counts.closed.add();
        if (connection.accepted_to_refuse()) counts.refused_closed.add();
    }
    std::swap(connections_[slot], connections_.back());
    connections_[slot]->slot = slot;
    const auto last = std::move(connections_.back()); // destroyed when this returns, not before
    connections_.pop_back();
    report_if_empty();
}

void Loop::drain() {
    draining_ = true;
    const auto connections = connections_; // draining removes some
    for (const auto& connection : connections) {
        if (!connection->listener().admin) connection->drain();
    }
    report_if_empty();
}

void Loop::report_if_empty() {
    if (draining_ && clients_ == 0 && on_empty && !std::exchange(reported_empty_, true)) on_empty();
}

void Loop::close_all() {
    closed_ = true;
    const auto connections = connections_;
    for (const auto& connection : connections) connection->abort();
}

} // namespace sse
