// A connection to a server: a socket, with TLS or without. Knows no HTTP.
#pragma once

#include "base/error.hpp"
#include "base/interrupt.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"
#include "net/timed_receive.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The peer has reset the connection (Errc::receive).
class ConnectionReset : public Error {
public:
    explicit ConnectionReset(const std::string& what)
        : Error(Errc::receive, what) {}
};

/// Owns its descriptor, which is non-blocking. Used on one thread at a time.
class ClientConnection {
public:
    using Clock = Interrupt::Clock;

    /// Takes over the connected, non-blocking `fd`. `peer` is named in errors.
    ClientConnection(int fd, std::string peer, Interrupt& interrupt);
    ~ClientConnection();
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    /// Performs the TLS handshake; all later bytes are encrypted. Throws as TlsContext::connect.
    void start_tls(const TlsContext& context, const std::string& host, Clock::time_point limit);
    const ssl_st* tls() const { return connection_.get(); }

    /// From now on, arrived() is the kernel's time where the system has one.
    void use_arrival_times() { timed_ = enable_arrival_times(fd_); }
    /// When the newest of the bytes that try_read() returned last arrived: the kernel's time, or
    /// that of the call. With TLS, bytes of several records may share the newest time.
    Clock::time_point arrived() const { return arrived_; }

    /// Reads the bytes that have arrived, at most `size`: their number, 0 at the end, nullopt if
    /// there are none (then wait_readable()). Throws Error (receive) if the connection broke, or
    /// ended without TLS's close_notify; Interrupted.
    std::optional<std::size_t> try_read(char* buffer, std::size_t size);
    /// For callers that work for long without reading. Throws Interrupted.
    void check_interrupt();
    /// Waits until try_read() may give bytes; false after `limit`. Throws Interrupted.
    bool wait_readable(std::optional<Clock::time_point> limit);
    /// Why write() returned.
    enum class Written : std::uint8_t {
        all,
        readable, ///< the socket is full, and there are bytes to read
        closed,   ///< the peer accepts no more; it may have sent a response
        late,     ///< the peer accepted no byte for `grace`
    };
    /// Sends `bytes` and removes from their front what was sent. Returns `readable` only with
    /// `watch`. Throws Interrupted.
    Written write(std::string_view& bytes, std::optional<Clock::duration> grace, bool watch);

private:
    std::optional<std::size_t> read_now(char* buffer, std::size_t size);
    std::optional<std::size_t> read_timed(char* buffer, std::size_t size);
    [[noreturn]] void broken(int error) const;
    [[noreturn]] void broken(const std::string& why, Reason reason = Reason::unspecified) const;

    int fd_;
    std::string peer_;
    Interrupt& interrupt_;
    SslPtr connection_;
    bool timed_ = false;
    Clock::time_point arrived_;
    short wanted_ = 0; ///< the poll event that TLS needs before it can read more; 0: POLLIN
};

} // namespace sse
