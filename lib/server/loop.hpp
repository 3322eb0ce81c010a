// One event loop of the server: its connections, and what they share.
#pragma once

#include "base/random.hpp"
#include "net/socket_watch.hpp"
#include "server/response_writer.hpp"
#include "server/send_group.hpp"
#include "server/server_counts.hpp"
#include "server/server_options.hpp"
#include "server/waiting_lists.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

namespace sse {

class ServerConnection;

/// Used on its own thread only, but for `context` (posting) and `counts` (reading).
class Loop {
public:
    using Clock = std::chrono::steady_clock;

    Loop(const ServerOptions& server_options, std::size_t index);
    ~Loop();

    void add(std::shared_ptr<ServerConnection> connection);
    void remove(ServerConnection& connection);
    /// Closes client connections that are between two requests, and the others when their response
    /// has ended; those of an admin listener stay.
    void drain();
    /// A signal asked the server to stop: streams that end from now on are counted as drained.
    void set_stopping() { stopping_ = true; }
    bool stopping() const { return stopping_; }
    /// Closes all connections, and those that are added later.
    void close_all();
    std::size_t admin_connections() const { return connections_.size() - clients_; }

    const ServerOptions& options;
    const std::size_t number;
    LoopCounts counts;
    asio::io_context context{1};
    SocketWatch sockets{context}; ///< those of its connections
    ResponseWriter writer;
    SendGroup sends;
    WaitingLists waiting, admin_waiting; ///< of clients, and of an admin listener
    SeededRandom random;                 ///< for jitter
    std::array<char, 64 * 1024> scratch; ///< bytes just received; not kept between calls
    std::function<void()> on_tick;       ///< called every tick, if set; before the loop runs
    std::function<void()> on_empty;      ///< called once, when it drains and has no client left

private:
    void arm_tick();
    void report_if_empty();

    std::vector<std::shared_ptr<ServerConnection>> connections_;
    std::size_t clients_ = 0; ///< of the connections, those not of an admin listener
    asio::steady_timer tick_;
    bool draining_ = false, stopping_ = false, reported_empty_ = false, closed_ = false;
};

using Loops = std::vector<std::unique_ptr<Loop>>;

} // namespace sse
