#include "net/client_tls.hpp"

#include "base/errno_text.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "net/certificate_authorities.hpp"
#include "net/dial.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

namespace sse {

namespace {

[[noreturn]] void refuse_file(const char* what, const std::string& path) {
    throw Error(Errc::invalid_argument,
                fmt::format("cannot use {} as {}: {}", path, what, take_tls_error()));
}

bool is_address(const std::string& host) {
    unsigned char bytes[sizeof(in6_addr)];
    return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

std::string name_of(const X509_NAME* name) {
    const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
    X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char* text = nullptr;
    const auto length = BIO_get_mem_data(out.get(), &text);
    return printable({text, static_cast<std::size_t>(length)}, 200);
}

std::string text_of(const ASN1_TIME* time) {
    const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free);
    ASN1_TIME_print(out.get(), time);
    char* text = nullptr;
    const auto length = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

Reason reason_of(long verdict) {
    switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return Reason::certificate_name;
    case X509_V_ERR_APPLICATION_VERIFICATION: return Reason::certificate_without_names;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID: return Reason::certificate_dates;
    default: return Reason::certificate_issuer;
    }
}

/// `host` as certificates name it: without a zone and without a trailing dot (RFC 6066, 3).
std::string certified_name(const std::string& host) {
    auto name = host.substr(0, host.find('%'));
    if (name.size() > 1 && name.ends_with('.')) name.pop_back();
    return name;
}

/// A certificate with the wrong name that has no subject alternative name at all gets a verdict of
/// its own: the peer's certificate cannot be looked at any more when the handshake has failed.
int on_verdict(int valid, X509_STORE_CTX* verification) {
    const auto* certificate = X509_STORE_CTX_get0_cert(verification);
    if (valid == 0 && X509_STORE_CTX_get_error(verification) == X509_V_ERR_HOSTNAME_MISMATCH &&
        X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0)
        X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION);
    return valid;
}

const char* verdict_text(long verdict) {
    return verdict == X509_V_ERR_APPLICATION_VERIFICATION ? "it has no subject alternative name"
                                                          : X509_verify_cert_error_string(verdict);
}

[[noreturn]] void throw_handshake(SSL* ssl, int result, const std::string& endpoint) {
    const int kind = SSL_get_error(ssl, result);
    if (const long verdict = SSL_get_verify_result(ssl);
        verdict != X509_V_OK && kind == SSL_ERROR_SSL) {
        take_tls_error();
        throw Error(Errc::tls_verify,
                    fmt::format("the certificate of {} is not trusted: {}", endpoint,
                                verdict_text(verdict)),
                    reason_of(verdict));
    }
    const int number = errno;
    const auto reason = alert_reason();
    auto why = take_tls_error();
    if (kind == SSL_ERROR_SYSCALL) {
        why = number != 0 ? errno_text(number) : "the server closed the connection";
    } else if (why == "unexpected eof while reading") {
        why = "the server closed the connection";
    }
    throw Error(Errc::tls_handshake,
                fmt::format("cannot complete the TLS handshake with {}: {}", endpoint, why),
                reason);
}

} // namespace

Reason alert_reason() {
    switch (ERR_GET_REASON(ERR_peek_error())) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return Reason::client_certificate;
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: return Reason::http2_only;
    default: return Reason::unspecified;
    }
}

std::string take_tls_error() {
    const auto code = ERR_get_error();
    ERR_clear_error();
    if (code == 0) return "unknown error";
    if (ERR_SYSTEM_ERROR(code)) return errno_text(ERR_GET_REASON(code));
    const char* reason = ERR_reason_error_string(code);
    return reason ? reason : fmt::format("error {:x}", code);
}

void SslFree::operator()(ssl_st* ssl) const { SSL_free(ssl); }

TlsContext::TlsContext(const TlsOptions& options)
    : options_(options)
    , context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
    auto* context = context_.get();
    if (!context) throw Error(Errc::tls_handshake, "cannot set up TLS: " + take_tls_error());
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (options.verify) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_verdict);
        if (options.ca_file.empty()) trust_system_authorities(context);
        else if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
            refuse_file("trusted certificates", options.ca_file);
        }
    }
    if (options.cert_file.empty()) return;
    const auto& key = options.key_file.empty() ? options.cert_file : options.key_file;
    if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
        refuse_file("a client certificate", options.cert_file);
    }
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
        refuse_file("the client certificate's key", key);
    }
}

TlsContext::~TlsContext() = default;

SslPtr TlsContext::begin(int fd, const std::string& host) const {
    SslPtr session(SSL_new(context_.get()));
    auto* ssl = session.get();
    if (!ssl || SSL_set_fd(ssl, fd) != 1)
        throw Error(Errc::tls_handshake, "cannot set up TLS: " + take_tls_error());
    const auto name = certified_name(host);
    if (is_address(name)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    } else {
        SSL_set_tlsext_host_name(ssl, name.c_str()); // RFC 6066, 3: names only, no addresses
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        SSL_set1_host(ssl, name.c_str());
    }
    static constexpr unsigned char protocols[] = "\x02h2\x08http/1.1";
    const unsigned skipped = options_.offer_http2 ? 0 : 3;
    SSL_set_alpn_protos(ssl, protocols + skipped,
                        static_cast<unsigned>(sizeof protocols - 1) - skipped);
    return session;
}

short TlsContext::handshake(ssl_st* session, const std::string& endpoint) {
    ERR_clear_error();
    errno = 0;
    const int result = SSL_connect(session);
    if (result == 1) return 0;
    switch (SSL_get_error(session, result)) {
    case SSL_ERROR_WANT_READ: return POLLIN;
    case SSL_ERROR_WANT_WRITE: return POLLOUT;
    default: throw_handshake(session, result, endpoint);
    }
}

SslPtr TlsContext::connect(int fd, const std::string& host, const std::string& endpoint,
                           Interrupt& interrupt, Interrupt::Clock::time_point limit) const {
    auto session = begin(fd, host);
    while (const short wanted = handshake(session.get(), endpoint)) {
        const auto woken = interrupt.wait(fd, wanted, limit);
        if (woken == Interrupt::Woken::interrupted) throw Interrupted{};
        if (woken == Interrupt::Woken::timed_out) {
            throw Error(
                Errc::timeout,
                fmt::format("cannot complete the TLS handshake with {}: timed out", endpoint));
        }
    }
    return session;
}

std::string tls_version(const ssl_st* connection) { return SSL_get_version(connection); }

std::string chosen_protocol(const ssl_st* connection) {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(connection, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

std::optional<double> certificate_days(const ssl_st* connection) {
    const auto* certificate = SSL_get0_peer_certificate(connection);
    int days = 0, seconds = 0;
    if (!certificate ||
        ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1)
        return std::nullopt;
    return days + seconds / 86400.0;
}

std::string describe(const ssl_st* connection) {
    auto text = fmt::format("{}, {}", SSL_get_version(connection), SSL_get_cipher_name(connection));
    if (const auto* certificate = SSL_get0_peer_certificate(connection)) {
        text += fmt::format(
            ", certificate of {}, by {}, until {}", name_of(X509_get_subject_name(certificate)),
            name_of(X509_get_issuer_name(certificate)), text_of(X509_get0_notAfter(certificate)));
    }
    return text;
}

} // namespace sse
