// One event loop of the server, and what its sessions share.
#pragma once

#include "server/httplib_server.hpp"
#include "server/listener_context.hpp"
#include "server/server.hpp"
#include "server/server_counts.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <vector>

namespace sse {

class ServerConnection;

/// Used on its own thread only, but for `context` (post) and `counts` (reading).
class Loop {
public:
    Loop(const ServerOptions& options, Handler& handler, std::size_t number);
    ~Loop();

    void add(std::shared_ptr<ServerConnection> connection);
    void remove(ServerConnection& connection);
    /// Sessions that are between two requests go, the others when they are done; those of an admin
    /// stay.
    void wind_down();
    /// Somebody asked the server to stop: what ends from now on does not end by itself.
    void tell_to_stop() { told_to_stop_ = true; }
    bool told_to_stop() const { return told_to_stop_; }
    /// All go now, and no other is taken.
    void cut_all();
    /// Ends the oldest connection that has not sent one whole request for so long that it will
    /// hardly send one: it makes room for a new one. False if there is none.
    bool make_room();

    /// Connections that have not sent one whole request yet, the oldest first; those of an admin
    /// are not among them.
    struct Fresh {
        ServerConnection* connection;
        std::chrono::steady_clock::time_point since;
    };
    std::list<Fresh> fresh;

    const ServerOptions& options;
    Handler& handler;
    const std::size_t number;
    LoopCounts counts;
    asio::io_context context{1};
    ResponseCodec codec;
    std::array<char, 64 * 1024> scratch; ///< what a session has just received; not kept
    std::function<void()> on_empty;      ///< called once: wind_down(), and the last client has gone

private:
    void arm_tick();
    void tell_if_empty();

    std::vector<std::shared_ptr<ServerConnection>> connections_;
    std::size_t clients_ = 0; ///< of them, not an admin's
    asio::steady_timer tick_;
    bool winding_down_ = false, told_to_stop_ = false, said_empty_ = false, cut_ = false;
};

} // namespace sse
