#include "cmd/client/connection_hints.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

namespace cmd {

namespace {

std::string of_http2(const sse::ClientOptions& options) {
    return fmt::format("relay it with curl -sN {} URL | sse serve --input sse, or put a proxy "
                       "that speaks HTTP/1.1 in front of the server",
                       options.request.url.tls ? "--http2" : "--http2-prior-knowledge");
}

std::string of_issuer(const sse::ClientOptions& options) {
    return options.tls.ca_file.empty()
               ? "trust its issuer with --cacert FILE, or skip the check with -k"
               : fmt::format("give another --cacert, because the issuer is not in {}, or skip "
                             "the check with -k",
                             sse::printable(options.tls.ca_file, 200));
}

std::string of_name(const sse::ClientOptions& options) {
    return options.dial.family != sse::Family::any
               ? "check the host name in the URL, or remove -4 and -6 to use any address"
               : "check the host name in the URL";
}

} // namespace

std::string connection_hint(const sse::Error& error, const sse::ClientOptions& options) {
    using sse::Reason;
    switch (error.reason()) {
    case Reason::proxy: return "give another proxy with -x, or none with -x ''";
    case Reason::not_an_address: return "give --resolve an IP address, as HOST:PORT:127.0.0.1";
    case Reason::certificate_name:
        return "use the name in the certificate (--resolve NAME:PORT:ADDRESS maps it), or skip "
               "the check with -k";
    case Reason::certificate_without_names:
        return "reissue the certificate with a subject alternative name (RFC 9525 ignores the "
               "common name), or skip the check with -k";
    case Reason::certificate_dates: return "check this machine's clock, or skip the check with -k";
    case Reason::certificate_issuer: return of_issuer(options);
    case Reason::client_certificate:
        return options.tls.cert_file.empty()
                   ? "give a client certificate with --cert FILE"
                   : "give another certificate with --cert: the server refused this one";
    case Reason::http2_only: return of_http2(options);
    case Reason::not_http: return "check the port in the URL, and whether the URL needs https";
    case Reason::chunked_twice:
        return "remove the Transfer-Encoding header that the application sets, because its "
               "server also adds one (RFC 9112, 6.1)";
    case Reason::bad_framing:
        return "try curl -iN: the server, or a proxy in front of it, sends invalid body "
               "framing";
    default: break;
    }
    switch (error.code()) {
    case sse::Errc::resolve: return of_name(options);
    case sse::Errc::connect:
        return options.dial.unix_socket.empty()
                   ? ""
                   : "check the path of --unix-socket, and that the server is running";
    case sse::Errc::tls_handshake: return "check that the port speaks TLS, or use http";
    default: return "";
    }
}

} // namespace cmd
