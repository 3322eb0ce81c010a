// The server's sockets: loops that accept, read requests, answer them and feed streams. Not the
// routes (Handler), not the events (Feed), not the codec (httplib_server).
#pragma once

#include "net/server_tls.hpp"
#include "net/socket.hpp"
#include "server/guard.hpp"
#include "server/handler.hpp"
#include "server/request_reader.hpp"
#include "server/server_counts.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sse {

class AccessLog;

/// Every bound that a client of the server meets.
struct ServerOptions {
    /// Where to listen: `HOST:PORT`, `[V6]:PORT`, `:PORT` (all interfaces), `unix:/path`.
    std::vector<std::string> listen = {"127.0.0.1:8080"};
    SocketOptions sockets;
    GuardOptions guard;
    /// For all listeners but unix sockets; TLS if it names a certificate.
    TlsServerOptions tls;
    RequestLimits request;
    /// From the first byte of a connection, or of its next request, to the end of the head.
    std::chrono::milliseconds head_timeout{10'000};
    /// From the end of the head to the end of the body.
    std::chrono::milliseconds body_timeout{30'000};
    /// Idle between two requests on one connection.
    std::chrono::milliseconds idle_timeout{60'000};
    /// A stream's client that accepts no byte for so long is disconnected.
    std::chrono::milliseconds stall_timeout{30'000};
    /// Bytes of a stream that the system keeps for a client beyond those on their way to it, where
    /// it can be told so; 0: as many as it likes. A client that comes back lacks what it was sent
    /// and never read, so where nothing is to be lost this must be small beside a history. Where
    /// laggards lose anyway, much gives them time. It is enough for 5 ms at 100 Mbit/s.
    std::size_t unsent_bytes = 64 * 1024;
    /// After a stop was asked for: how long open streams may still take.
    std::chrono::milliseconds grace{5'000};
    /// Connections at a time; more are answered 503.
    std::size_t max_clients = 10'000;
    /// Of them from one address, or from one IPv6 network of 64 bits, which is what one customer
    /// has; more are answered 503. 0: as many as there may be. Not for unix sockets, and not for a
    /// server behind a proxy, where all come from the same.
    std::size_t max_clients_per_address = 0;
    /// How often the timeouts above, and heartbeats, are looked at.
    std::chrono::milliseconds tick{1'000};
    /// Event loops, each on a thread of its own; the first runs on run()'s thread.
    std::size_t threads = 1;

    /// Makes `tick` short enough for a time that is to be kept, if only roughly.
    void tick_for(std::chrono::milliseconds time) {
        if (time.count() > 0) tick = std::clamp(time / 4, std::chrono::milliseconds(10), tick);
    }
};

/// Where a server is.
struct ServerAddress {
    std::string url;         ///< as this machine reaches it, its port filled in; "unix:/path"
    bool everywhere = false; ///< every network that this machine is on reaches it
};

/// Owns its loops and all their connections. Its members may be called from any thread unless they
/// say otherwise.
class Server {
public:
    /// `handler` must outlive the server.
    Server(ServerOptions options, Handler& handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds and listens; connections, SIGINT and SIGTERM wait until run(). Throws
    /// std::system_error, its text with the address as it was given, and Error (invalid_argument,
    /// resolve).
    void listen();
    /// Reads the certificate and key that the options name, before listen(); and again, on loop 0's
    /// thread, for the connections that come from then on. Throws Error (invalid_argument), and
    /// goes on with what it had. Returns what is odd about them, a line for a person each.
    std::vector<std::string> load_tls();
    /// Takes over sockets that listen already, instead.
    void take(std::vector<Listening> sockets);
    /// More of them, with routes of their own and no guard but against rebinding (Host, Origin):
    /// for those who run the server. Their connections are in no count and under no limit, and are
    /// served until the last client has gone. Returns where they are.
    std::vector<ServerAddress> take_admin(std::vector<Listening> sockets, Handler& handler);
    /// Where it listens. After listen().
    std::vector<ServerAddress> addresses() const;
    /// The unix sockets that are its own to remove.
    std::vector<std::string> socket_paths() const;

    /// Serves on the calling thread until it has stopped. Returns 0, or the signal that was not
    /// given its grace (a second one came, or the grace was over with streams still open).
    int run();

    /// Calls `action` on loop `loop`'s thread, soon.
    void post(std::size_t loop, std::function<void()> action);
    /// Stops accepting and lets run() return once every connection has ended by itself. If
    /// `hurried`, those that are left after `grace` are cut.
    void finish(bool hurried);
    /// Called on loop 0 when SIGINT or SIGTERM asks to stop, before finish(true). All of them.
    void on_stop(std::function<void()> action);
    /// Called on loop 0 each time that signal comes; before run().
    void on_signal(int number, std::function<void()> action);
    /// Every connection is told to `log` at its end; before listen().
    void log_to(AccessLog& log);

    ServerCounts counts() const;
    /// finish() was called, or a signal asked to stop.
    bool stopping() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
