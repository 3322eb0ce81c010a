// The server: its event loops, its listeners, and its life from listening to the last connection.
// Not the routes (Handler), not the events (Feed), not accepting (Acceptor).
#pragma once

#include "net/listening_socket.hpp"
#include "server/handler.hpp"
#include "server/server_counts.hpp"
#include "server/server_options.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace asio {
class io_context;
}

namespace sse {

class AccessLog;

/// Where a server listens.
struct ServerAddress {
    std::string url;             ///< as this machine reaches it, with its port; "unix:/path"
    bool all_interfaces = false; ///< every network of this machine reaches it
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
    /// thread, for connections accepted from then on. Throws Error (invalid_argument), and then
    /// keeps what it had. Returns problems with them, a line of text each.
    std::vector<std::string> load_tls();
    /// Replaces the tokens that requests must have, from the next request on. Any thread.
    void replace_tokens(const Tokens& read, const Tokens& publish);
    /// Takes ownership of sockets that listen already, instead of listen().
    void adopt(std::vector<ListeningSocket> sockets);
    /// Adds listeners for the operator, with routes of their own and no guard but that of Host and
    /// Origin. Their connections are not counted as clients, have a limit of their own, and are
    /// served until the last client is gone. Returns where they listen.
    std::vector<ServerAddress> adopt_admin(std::vector<ListeningSocket> sockets, Handler& handler);
    /// Where it listens; after listen().
    std::vector<ServerAddress> addresses() const;
    /// Paths of the unix sockets that it made.
    std::vector<std::string> socket_paths() const;

    /// Clients that connect wait until release_clients(). Before run().
    void hold_clients();
    void release_clients();

    /// Serves on the calling thread until it has stopped. Returns 0, or the signal that ended it
    /// before all connections had (a second one came, or the grace was over).
    int run();

    /// Calls `action` on the thread of loop `loop`.
    void post(std::size_t loop, std::function<void()> action);
    /// The context of loop `loop`, for a route that has sockets or timers of its own there.
    asio::io_context& context(std::size_t loop);
    /// What the streams of loop `loop` have to send from begin_sends() on is sent by end_sends(),
    /// with one system call where that is possible. On that loop's thread.
    void begin_sends(std::size_t loop);
    void end_sends(std::size_t loop);
    /// Such streams are sent with io_uring. Any thread.
    bool uses_ring() const;
    /// Stops accepting; run() returns once every connection has ended by itself. If `with_grace`,
    /// those that are left after `grace` are aborted.
    void drain(bool with_grace);
    /// Calls `action` on loop 0 when SIGINT or SIGTERM asks to stop, before drain(true). Every
    /// action that was added is called.
    void on_stop(std::function<void()> action);
    /// Calls `action` on loop 0 for each signal `number`. Before run().
    void on_signal(int number, std::function<void()> action);
    /// Calls `action` on loop 0 every `interval`, from run() on. Before run().
    void every(std::chrono::microseconds interval, std::function<void()> action);
    /// Calls `action` on loop 0 with a line of text about a problem of the server. Before run().
    void on_warning(std::function<void(const std::string&)> action);
    /// Logs every connection at its end. Before listen().
    void set_access_log(AccessLog& log);

    ServerCounts counts() const;
    /// drain() was called, or a signal asked to stop.
    bool stopping() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
