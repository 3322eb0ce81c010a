// One event loop of the server: its connections, and what they share.
#pragma once

#include "base/random.hpp"
#include "server/httplib_server.hpp"
#include "server/server_counts.hpp"
#include "server/server_options.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace sse {

class ServerConnection;

/// Used on its own thread only, but for `context` (posting) and `counts` (reading).
class Loop {
public:
    using Clock = std::chrono::steady_clock;

    Loop(const ServerOptions& options, std::size_t number);
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

    /// Connections that have not sent a whole request, the longest waiting first. They are closed
    /// when there is no place for a new one.
    struct Waiting {
        ServerConnection* connection;
        Clock::time_point since;
    };
    struct WaitingLists {
        std::list<Waiting> idle;       ///< between two requests, or after the last response
        std::list<Waiting> incomplete; ///< within a request, or before the first
    };
    WaitingLists waiting, admin_waiting;
    /// Closes the connection that has been idle for longest, or without one, the oldest that has
    /// not sent a request within the time that any client needs. False if there is neither.
    bool evict_one(WaitingLists& lists, Clock::time_point now);

    const ServerOptions& options;
    const std::size_t number;
    LoopCounts counts;
    asio::io_context context{1};
    ResponseCodec codec;
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

} // namespace sse
