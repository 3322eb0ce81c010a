// TLS of the client: what it trusts, who it says it is, and the handshake on a connected socket.
// Done here and not by cpp-httplib, whose handshake waits in select() where no signal, no time
// limit and no descriptor over 1023 is heard of, and whose errors say only that there was one.
#pragma once

#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <cstdint>
#include <memory>
#include <string>

struct ssl_ctx_st;
struct ssl_st;

namespace sse {

struct TlsOptions {
    bool verify = true;              ///< the certificate's chain, its dates and its name
    std::string ca_file;             ///< PEM of what is trusted instead of the system's authorities
    std::string cert_file, key_file; ///< PEM of a client certificate (chain) and its key
};

struct SslFree {
    void operator()(ssl_st* ssl) const;
};
/// A TLS session of OpenSSL, freed at the end.
using SslPtr = std::unique_ptr<ssl_st, SslFree>;

/// What all connections of one client share. Throws Error (invalid_argument) naming the file that
/// cannot be used.
class TlsContext {
public:
    explicit TlsContext(const TlsOptions& options);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// Shakes hands on the non-blocking `fd`. `host` is what the certificate must be for;
    /// `endpoint` is named in errors. Throws Error (tls_verify, tls_handshake, timeout),
    /// Interrupted.
    SslPtr connect(int fd, const std::string& host, const std::string& endpoint,
                   Interrupt& interrupt, Interrupt::Clock::time_point limit) const;

private:
    TlsOptions options_;
    std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> context_;
};

/// `TLSv1.3, TLS_AES_256_GCM_SHA384, certificate of CN=localhost, by CN=..., until ...`: for
/// people.
std::string describe(const ssl_st* connection);

/// What the alert says that the peer sent, if it is the oldest error that OpenSSL keeps for this
/// thread: client_certificate or http2_only, else unspecified. Forgets nothing.
Reason alert_reason();

/// The oldest error that OpenSSL keeps for this thread, as lowercase text; forgets all of them.
std::string take_tls_error();

} // namespace sse
