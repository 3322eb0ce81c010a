// Every bound that a client of the server meets, with its default. Not the routes' own options.
#pragma once

#include "net/listening_socket.hpp"
#include "net/send_ring.hpp"
#include "net/server_tls.hpp"
#include "server/forwarded.hpp"
#include "server/guard.hpp"
#include "server/request_reader.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sse {

/// How a client beyond the limits is refused.
enum class Busy {
    status, ///< 503 with Retry-After
    retry,  ///< 200, an event stream that only sets the reconnection time: an EventSource returns
};

struct ServerOptions {
    /// Where to listen: `HOST:PORT`, `[V6]:PORT`, `:PORT` (all interfaces), `unix:/path`.
    std::vector<std::string> listen = {"127.0.0.1:8080"};
    SocketOptions sockets;
    GuardOptions guard;
    /// For all listeners but unix sockets; TLS if it names a certificate.
    TlsServerOptions tls;
    RequestLimits request;
    /// Proxies whose word for the address of a client is taken.
    TrustedProxies trusted_proxies;
    /// Bytes of request bodies that all connections together may hold while they are received;
    /// a body beyond it is refused with 503. Never less than one body may have.
    std::size_t max_pending_body_bytes = 64 * 1024 * 1024;
    /// From the begin of a connection, or from the first byte of its next request, to the end of
    /// the head.
    std::chrono::milliseconds head_timeout{10'000};
    /// From the end of the head to the end of the body.
    std::chrono::milliseconds body_timeout{30'000};
    /// Idle between two requests on one connection. Longer than the 60 s of common load balancers:
    /// the side that sends requests should be the one that closes an idle connection.
    std::chrono::milliseconds idle_timeout{75'000};
    /// A stream whose client accepts no byte for this long is closed.
    std::chrono::milliseconds stall_timeout{30'000};
    /// A stream is ended after this long, and its client reconnects; 0: never. Each stream gets a
    /// random time from 90 % of it to 100 %.
    std::chrono::milliseconds max_stream_time{0};
    /// Bytes of a stream that the kernel keeps for a client beyond those on their way to it, where
    /// it can be told so; 0: no bound. A client that reconnects lacks what it was sent and never
    /// read, so where nothing may be lost this must be small beside a history. Where slow clients
    /// lose events anyway, more gives them time. It is enough for 5 ms at 100 Mbit/s.
    std::size_t unsent_bytes = 64 * 1024;
    /// Time for open streams to finish after a stop signal.
    std::chrono::milliseconds grace{5'000};
    /// Connections at a time; more are refused as `busy` says.
    std::size_t max_clients = 10'000;
    /// Connections at a time from one address, or from one IPv6 network of 64 bits, which is what
    /// one customer has; 0: no bound. Not for unix sockets.
    std::size_t max_clients_per_address = 0;
    Busy busy = Busy::status;
    /// Connections at a time to the admin listeners.
    std::size_t max_admin_connections = 32;
    /// How often timeouts and heartbeats are checked.
    std::chrono::milliseconds tick{1'000};
    /// Event loops, each on a thread of its own; the first runs on run()'s thread.
    std::size_t threads = 1;
    SendIo io = SendIo::automatic;

    /// Shortens `tick` so that a timeout of `time` is kept within a quarter of it.
    void tick_for(std::chrono::milliseconds time) {
        if (time.count() > 0) tick = std::clamp(time / 4, std::chrono::milliseconds(10), tick);
    }
};

} // namespace sse
