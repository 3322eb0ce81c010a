// TLS of the server, on the non-blocking descriptors of its connections. Not a transport interface:
// a connection without TLS has no TlsStream.
#pragma once

#include "base/open_file.hpp"
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
    std::string cert_file;      ///< PEM: the certificate, then its chain; "": no TLS
    std::string key_file;       ///< PEM, not encrypted; "": in cert_file
    std::string client_ca_file; ///< PEM: clients need a certificate of one of these; "": none
    OpenFile open; ///< how these are opened, on each reload; empty: as this process may
};

/// TLS of one connection. Does not own the descriptor. Used on its loop's thread only. OpenSSL
/// keeps record buffers only while a record is in progress.
class TlsStream {
public:
    /// Takes ownership of `ssl`, which reads from `fd`.
    TlsStream(ssl_st* ssl, int fd);
    ~TlsStream();
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    enum class Handshake { done, wants_read, wants_write, failed, plain_http };
    /// Continues the handshake; call it again when the descriptor is ready for what it wants.
    /// `plain_http`: the client sent a request without TLS, of which nothing was read.
    Handshake handshake();

    /// As send_some(), in as few records of up to 16 KiB as possible. The bytes it reports must not
    /// be sent again, even if `again` says that the last record is incomplete: flush() it.
    Transfer send(std::span<const std::string_view> views);
    /// Puts what send() would send of `piece` into `out`, for the caller to send: then
    /// sealed_was_sent() comes before all other members. False if it cannot: call send().
    bool seal(std::string_view piece, std::string& out);
    /// The socket has accepted what seal() made, all but `rest`.
    void sealed_was_sent(std::string_view rest) { unsent_.assign(rest); }
    /// Sends the rest of the last record.
    Transfer flush();
    bool pending() const { return !pending_.empty() || !unsent_.empty(); }
    /// Bytes that the socket has accepted, those of the handshake included.
    std::uint64_t sent() const;
    /// As receive_some(), at most one record. Call until `again`: OpenSSL may hold more, which does
    /// not make the descriptor readable.
    Transfer receive(std::span<char> into);
    /// Sends close_notify. False: call it again when writable.
    bool close_notify();

private:
    friend struct TlsOutput;
    Transfer stopped(int result, int wanted);
    std::ptrdiff_t write_out(std::string_view bytes);

    ssl_st* ssl_;
    int fd_;
    std::string* sealing_ = nullptr; ///< takes what OpenSSL writes, instead of the socket
    std::string unsent_;             ///< of seal(): goes before all else that OpenSSL writes
    bool peeked_ = false, broken_ = false, ended_ = false, can_seal_ = false;
    /// Plain bytes of a record that OpenSSL has encrypted and not sent whole. It must be given the
    /// same bytes again, which the feed may no longer have (a slow client that was moved ahead).
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

    /// Reads the files again, for connections accepted from now on. Throws as the constructor does,
    /// and then keeps what it had.
    void reload();
    /// Problems with the files in use, a line each: a certificate that has expired or is not valid
    /// yet; a key that every user can read.
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
