// One event loop of the server, and what its sessions share.
#pragma once

#include "http/httplib_server.hpp"
#include "http/server.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <memory>
#include <vector>

namespace sse {

class Session;

/// Counts that belong to the whole server; any thread.
struct ServerCounts {
    std::atomic<std::size_t> clients{0}, streams{0};
};

/// Used on its own thread only, but for `context` (post).
class Loop {
public:
    Loop(const ServerOptions& options, Handler& handler, ServerCounts& counts, std::size_t number);
    ~Loop();

    void add(std::shared_ptr<Session> session);
    void remove(Session& session);
    bool empty() const { return sessions_.empty(); }
    /// Sessions that are between two requests go, the others when they are done.
    void wind_down();
    void cut_all();

    const ServerOptions& options;
    Handler& handler;
    ServerCounts& counts;
    const std::size_t number;
    asio::io_context context{1};
    ResponseCodec codec;
    std::array<char, 64 * 1024> scratch; ///< what a session has just received; not kept
    std::function<void()> on_empty; ///< called once: wind_down(), and the last session has gone

private:
    void arm_tick();
    void tell_if_empty();

    std::vector<std::shared_ptr<Session>> sessions_;
    asio::steady_timer tick_;
    bool winding_down_ = false, told_ = false;
};

} // namespace sse
