// TLS of the client: trusted authorities, client certificate, and the handshake on a connected
// socket. Not done by cpp-httplib: its handshake waits in select(), which no signal interrupts and
// which takes no descriptor over 1023, and its errors give no reason.
#pragma once

#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace sse {

struct TlsOptions {
    bool verify = true;              ///< check the certificate's chain, dates and name
    std::string ca_file;             ///< PEM of the authorities to trust instead of the system's
    std::string cert_file, key_file; ///< PEM of a client certificate (chain) and its key
    bool offer_http2 = false;        ///< also offers h2 (ALPN), to see what the server would choose
};

struct SslFree {
    void operator()(ssl_st* ssl) const;
};
/// A TLS session of OpenSSL, freed at the end.
using SslPtr = std::unique_ptr<ssl_st, SslFree>;

/// The TLS settings that all connections of one client share. The constructor throws Error
/// (invalid_argument) that names a file it cannot use.
class TlsContext {
public:
    explicit TlsContext(const TlsOptions& options);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// Performs the handshake on the non-blocking `fd`. The certificate must name `host` among its
    /// subject alternative names (RFC 9525, 6.3); `endpoint` is named in errors. Throws Error
    /// (tls_verify, tls_handshake, timeout), Interrupted.
    SslPtr connect(int fd, const std::string& host, const std::string& endpoint,
                   Interrupt& interrupt, Interrupt::Clock::time_point limit) const;

    /// connect() in steps, for an event loop: a session on `fd` whose handshake has not begun.
    SslPtr begin(int fd, const std::string& host) const;
    /// Continues the handshake: POLLIN or POLLOUT if it has to wait for that, 0 once it is
    /// complete. Throws Error (tls_verify, tls_handshake).
    static short handshake(ssl_st* session, const std::string& endpoint);

private:
    TlsOptions options_;
    std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
};

/// `TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of CN=localhost, by CN=..., until ...`: for
/// people.
std::string describe(const ssl_st* connection);

/// The version of TLS, such as `TLSv1.3`; the protocol that the server chose (ALPN), "" for none;
/// and the days until its certificate expires, nullopt if it sent none.
std::string tls_version(const ssl_st* connection);
std::string chosen_protocol(const ssl_st* connection);
std::optional<double> certificate_days(const ssl_st* connection);

/// The meaning of the alert that the peer sent, if that is the oldest error in OpenSSL's queue of
/// this thread: client_certificate or http2_only, else unspecified. Leaves the queue as it is.
Reason alert_reason();

/// The oldest error in OpenSSL's queue of this thread, as lowercase text; empties the queue.
std::string take_tls_error();

} // namespace sse
