// One connection of the proxy to its upstream server, on an event loop: resolves, connects, speaks
// TLS, and transfers bytes. Never blocks, and knows no HTTP. ClientConnection is the blocking
// counterpart.
#pragma once

#include "base/error.hpp"
#include "http/url.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"
#include "net/lookup.hpp"
#include "net/transport.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct UpstreamOptions {
    /// Scheme, host, port, and the base path that is put before the path of each request.
    Url url;
    DialOptions dial;
    TlsOptions tls;
    /// Time after which the host is resolved again. Each request has a new connection but should
    /// not cause a query, and the addresses of services change within minutes.
    std::chrono::milliseconds address_lifetime{10'000};
};

/// The state that the connections of one loop share. Used only on its thread.
struct UpstreamLoop {
    UpstreamLoop(asio::io_context& loop_context, const UpstreamOptions& upstream_options,
                 const TlsContext* tls_context)
        : context(loop_context)
        , options(upstream_options)
        , tls(tls_context) {}

    asio::io_context& context;
    const UpstreamOptions& options;
    const TlsContext* tls; ///< nullptr: plain HTTP
    std::vector<SocketAddress> addresses;
    std::chrono::steady_clock::time_point resolved{}; ///< when `addresses` were found
    std::array<char, 64 * 1024> scratch;              ///< bytes just received
};

/// Kept alive by the operations that wait for its socket; close() ends them. Used only on the
/// thread of its loop.
class UpstreamConnection : public std::enable_shared_from_this<UpstreamConnection> {
public:
    /// Receives the events of the connection. Each member may call close().
    class Owner {
    public:
        virtual ~Owner() = default;
        /// Bytes from the server; the view is valid only during the call.
        virtual void on_bytes(std::string_view bytes) = 0;
        /// All bytes that have arrived so far were passed to on_bytes().
        virtual void on_pause() = 0;
        /// The server has closed the connection cleanly.
        virtual void on_end() = 0;
        /// The connection could not be made, or broke; `reset`: by a TCP reset. This is the last
        /// call.
        virtual void on_failure(const Error& error, bool reset) = 0;
        /// unsent() has decreased.
        virtual void on_sent() = 0;
    };

    /// `loop` must outlive it, and `owner` must be valid until close().
    UpstreamConnection(UpstreamLoop& loop, Owner& owner);

    /// Begins to connect. May call the owner.
    void start();
    /// Sends `bytes` once there is a connection, after those of earlier calls.
    void send(std::string_view bytes);
    /// Bytes that wait to be sent.
    std::size_t unsent() const { return out_.size(); }
    /// Stops or resumes reading. Bytes that were already read may still be passed on.
    void set_reading(bool reading);
    /// Ends everything; the owner is not called any more.
    void close();

private:
    using Descriptors = std::vector<std::shared_ptr<asio::posix::stream_descriptor>>;

    void connect_to(std::vector<SocketAddress> addresses);
    void start_next();
    void on_attempt(const std::shared_ptr<asio::posix::stream_descriptor>& attempt);
    void on_connected(int fd);
    void handshake();
    void begin_transfer();
    void wait_readable();
    void read();
    void flush();
    void fail(const Error& error, bool reset = false);
    void fail_for(const Transfer& transfer);

    UpstreamLoop& loop_;
    Owner* owner_; ///< nullptr: closed
    asio::steady_timer limit_, next_;
    std::shared_ptr<Lookup> lookup_;
    std::unique_ptr<asio::posix::stream_descriptor> lookup_fd_;
    std::vector<SocketAddress> addresses_;
    std::size_t next_address_ = 0;
    Descriptors attempts_; ///< sockets that are connecting
    int last_error_ = 0;   ///< of an attempt that failed
    std::unique_ptr<Transport> transport_;
    std::unique_ptr<asio::posix::stream_descriptor> waits_; ///< for its socket
    SslPtr session_;                                        ///< during its handshake
    std::string out_;
    bool open_ = false, reading_ = true, waiting_ = false, writing_ = false;
};

} // namespace sse
