// A byte stream to a server: a socket, with TLS or without. Knows no HTTP.
#pragma once

#include "base/interrupt.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// Owns its descriptor, which never blocks: whoever gets nothing waits. One thread at a time.
class ClientConnection {
public:
    using Clock = Interrupt::Clock;

    /// Takes over the connected, non-blocking `fd`. `peer` is named in errors.
    ClientConnection(int fd, std::string peer, Interrupt& interrupt);
    ~ClientConnection();
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    /// Everything from now on goes through TLS. Throws as TlsContext::connect.
    void start_tls(const TlsContext& context, const std::string& host, Clock::time_point limit);
    const ssl_st* tls() const { return connection_.get(); }

    /// What is there, at most `size` bytes; 0 at the end; nullopt: nothing yet, wait_readable().
    /// Throws Error (receive) if the connection broke, or ended without TLS saying so; Interrupted.
    std::optional<std::size_t> try_read(char* buffer, std::size_t size);
    /// For those who have much to do without reading. Throws Interrupted.
    void check_interrupt();
    /// False if `limit` came first. Throws Interrupted.
    bool wait_readable(std::optional<Clock::time_point> limit);
    /// What ended a write().
    enum class Written : std::uint8_t {
        all,
        readable, ///< no room, and something to read: TLS's own, or an answer
        closed,   ///< the peer takes no more: it may still have answered
        late,     ///< it took nothing for `patience`
    };
    /// Sends `bytes`, and takes off what has been sent. Is `readable` only if `watch` says so.
    /// Throws Interrupted.
    Written write(std::string_view& bytes, std::optional<Clock::duration> grace, bool watch);

private:
    std::optional<std::size_t> read_now(char* buffer, std::size_t size);
    [[noreturn]] void broken(const std::string& why, Reason reason = Reason::unspecified) const;

    int fd_;
    std::string peer_;
    Interrupt& interrupt_;
    SslPtr connection_;
    short wanted_ = 0; ///< what TLS waits for before it can give more; 0: POLLIN
};

} // namespace sse
