// TLS of the server, on the sessions' own non-blocking descriptors. Not a transport interface: a
// session without TLS has no TlsStream, and asks nobody.
#pragma once

#include "net/socket.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;
struct ssl_st;

namespace sse {

struct TlsServerOptions {
    std::string cert_file;      ///< PEM: the certificate, then those that vouch for it; "": no TLS
    std::string key_file;       ///< PEM, not encrypted; "": it is in cert_file, too
    std::string client_ca_file; ///< PEM: clients must show a certificate of one of these; "": none
};

/// One connection's TLS. It does not own the descriptor. Used on its session's loop only. OpenSSL
/// holds its record buffers only while bytes are on their way.
class TlsStream {
public:
    TlsStream(ssl_st* ssl, int fd)
        : ssl_(ssl)
        , fd_(fd) {}
    ~TlsStream();
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    enum class Shake { done, wants_read, wants_write, failed, plain_http };
    /// Goes on with the handshake; again when the descriptor is ready for what it wants.
    /// `plain_http`: what came is a request without TLS, and nothing of it was taken.
    Shake handshake();

    /// As send_some(): in as few records as may be, of up to 16 KiB each. What it says it took is
    /// taken for good, even if `again` says that the last record has not left whole: flush() it.
    Transfer send(std::span<const std::string_view> views);
    /// Sends the rest of the last record; nothing taken before may be sent otherwise.
    Transfer flush();
    bool pending() const { return !pending_.empty(); }
    /// Bytes given to the socket, the handshake's included.
    std::uint64_t sent() const;
    /// As receive_some(): at most one record. Call until `again`: there may be more in here, of
    /// which the descriptor does not know.
    Transfer receive(std::span<char> into);
    /// Says that nothing more will come (close_notify). False: again when writable.
    bool say_end();

private:
    Transfer fault(int result);

    ssl_st* ssl_;
    int fd_;
    bool greeted_ = false, broken_ = false, ended_ = false;
    /// Of a record that OpenSSL has encrypted and not yet sent whole: it wants to see the same
    /// bytes again, and by then the feed may have none such (a laggard that was moved on).
    std::string pending_;
};

/// The certificate and key of the listeners: TLS 1.2 and 1.3, no renegotiation, no compression,
/// tickets but no session cache, http/1.1 by ALPN. Any thread.
class TlsServer {
public:
    /// Throws Error (invalid_argument) that names the file and what is wrong with it.
    explicit TlsServer(TlsServerOptions options);
    ~TlsServer();
    TlsServer(const TlsServer&) = delete;
    TlsServer& operator=(const TlsServer&) = delete;

    /// Reads the files again, for the connections that come from now on. Throws as the constructor,
    /// and goes on with what it had.
    void reload();
    /// What is odd about the files in use, a line for a person each: a certificate whose time is
    /// over, or has not come; a key that everybody can read.
    std::vector<std::string> warnings() const;
    /// For the accepted `fd`; nullptr if there is no memory.
    std::unique_ptr<TlsStream> accept(int fd);

private:
    using Context = std::shared_ptr<ssl_ctx_st>;
    Context load() const;
    Context current() const;

    const TlsServerOptions options_;
    mutable std::mutex mutex_; ///< guards context_
    Context context_;
};

} // namespace sse
