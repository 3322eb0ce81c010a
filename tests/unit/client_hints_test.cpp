#include "cmd/tail/client_hints.hpp"

#include "unit/catch2.hpp"

#include <functional>
#include <string>

namespace {

using sse::ClientOptions;
using sse::Errc;
using sse::Error;
using sse::Reason;
using Change = std::function<void(ClientOptions&)>;

const Change none = [](ClientOptions&) {};

std::string hint(const Error& error, const Change& change = none, bool opened = false) {
    ClientOptions options;
    options.request.url = sse::Url::parse("http://h/");
    change(options);
    return cmd::client_hint(error, options, opened);
}

sse::HttpStatusError response(int status, std::string type = "", std::string coding = "",
                              std::string schemes = "", Reason reason = Reason::unspecified) {
    return {"", {status, std::move(type), std::move(coding), std::move(schemes), {}}, reason};
}

void posts(ClientOptions& o) { o.request.method = "POST"; }

const std::string again = "raise --retries, or remove it to retry without a limit";

} // namespace

TEST_CASE("a hint on another attempt offers nothing that was given") {
    struct Row {
        Change change;
        bool opened;
        std::string hint;
    };
    const Row rows[] = {
        {none, false, "use --retry-connect to keep trying until the stream opens"},
        {[](auto& o) { o.retry_connect = true; }, false, again},
        {[](auto& o) { o.reconnect = false; }, true, "remove --no-reconnect to reconnect"},
        {[](auto& o) { o.reconnect = false, posts(o); }, true,
         "use --reconnect to send the request again"},
        {none, true, again},
    };
    for (const auto& row : rows) {
        CHECK(hint(Error(Errc::receive, ""), row.change, row.opened) == row.hint);
        for (const int status : {429, 500, 502, 503, 504})
            CHECK(hint(response(status), row.change, row.opened) == row.hint);
    }
}

TEST_CASE("each response has its hint") {
    const auto sends = [](const char* name) {
        return Change([name](ClientOptions& o) { o.request.set(name, "x"); });
    };
    const Change compressed = [](auto& o) { o.response.compressed = true; };
    const Change identity = [](auto& o) { o.request.set("Accept-Encoding", "identity"); };
    struct Row {
        sse::HttpStatusError error;
        Change change;
        std::string hint;
    };
    const Row rows[] = {
        {response(401), none, "give credentials with -u, --bearer or -H"},
        {response(401), sends("Authorization"), "check the credentials: the server refused them"},
        {response(403), sends("Cookie"), "check the credentials: the server refused them"},
        {response(401, "", "", "digest"), sends("Authorization"),
         "the server requires Digest authentication, which sse does not support: use curl -N "
         "--digest -u USER:PASSWORD"},
        {response(401, "", "", "digest, basic"), none, "give credentials with -u, --bearer or -H"},
        {response(401, "", "", "negotiate, ntlm"), none,
         "the server requires Negotiate authentication, which sse does not support: give the "
         "credentials it expects with -H 'Authorization: ...'"},
        {response(401, "", "", "", Reason::credentials_dropped), sends("Authorization"),
         "use the URL that the redirect leads to: credentials and -H headers are not sent to "
         "another origin (scheme, host or port)"},
        {response(404), none, "check the path in the URL"},
        {response(405), none, "try another method: -X METHOD, or -d or --json to POST"},
        {response(405), posts, "try GET: remove -X, -d and --json"},
        {response(407), none, "give the proxy's credentials as -x http://USER:PASSWORD@HOST:PORT"},
        {response(410), none, "run curl -iN with the URL to see the whole response"},
        {response(200, "text/html"), none,
         "check the path in the URL, and whether the page asks for a login"},
        {response(200, "application/json"), none,
         "request a stream: many APIs need a parameter such as \"stream\": true; --any prints this "
         "response as one event"},
        {response(200, "application/json", "", "", Reason::json_lines), none,
         "use --ndjson to read JSON lines as events"},
        {response(200, "text/plain"), none, "use --any to read it as an event stream anyway"},
        {response(200, "", "gzip"), none,
         "use --compressed to request and decode gzip, deflate, br"},
        {response(200, "", "zstd"), compressed,
         "request the stream uncompressed with -H 'Accept-Encoding: identity'"},
        {response(200, "", "zstd"), identity,
         "decompress it with another program, as in curl -sN URL | zstd -dc"},
        {response(505, "", "", "", Reason::http2_only), none,
         "relay it with curl -sN --http2-prior-knowledge URL | sse serve --input sse, or put a "
         "proxy that speaks HTTP/1.1 in front of the server"},
    };
    for (const auto& row : rows) {
        INFO(row.error.status() << " " << row.error.response().content_type);
        CHECK(hint(row.error, row.change) == row.hint);
    }
}

TEST_CASE("each failure of a connection has its hint") {
    const auto error = [](Errc code, Reason reason = Reason::unspecified) {
        return Error(code, "", reason);
    };
    const Change ca = [](auto& o) { o.tls.ca_file = "ca.pem"; };
    const Change certificate = [](auto& o) { o.tls.cert_file = "c.pem"; };
    const Change largest = [](auto& o) { o.parser.max_event_bytes = sse::most_event_bytes; };
    struct Row {
        Error error;
        Change change;
        std::string hint;
    };
    const Row rows[] = {
        {error(Errc::connect), none,
         "check the address, or use --retry-connect to wait for the server"},
        {error(Errc::connect), [](auto& o) { o.retry_connect = true; },
         "check that the server is running; " + again},
        {error(Errc::connect), [](auto& o) { o.dial.unix_socket = "/x"; },
         "check the path of --unix-socket, and that the server is running"},
        {error(Errc::resolve), none, "check the host name in the URL"},
        {error(Errc::resolve), [](auto& o) { o.dial.family = sse::Family::v4; },
         "check the host name in the URL, or remove -4 and -6 to use any address"},
        {error(Errc::resolve, Reason::not_an_address), none,
         "give --resolve an IP address, as HOST:PORT:127.0.0.1"},
        {error(Errc::connect, Reason::proxy), none,
         "give another proxy with -x, or none with -x ''"},
        {error(Errc::timeout), none, "allow more time with --connect-timeout or --read-timeout"},
        {error(Errc::tls_handshake), none, "check that the port speaks TLS, or use http"},
        {error(Errc::tls_handshake, Reason::client_certificate), none,
         "give a client certificate with --cert FILE"},
        {error(Errc::receive, Reason::client_certificate), certificate,
         "give another certificate with --cert: the server refused this one"},
        {error(Errc::tls_verify, Reason::certificate_name), none,
         "use the name in the certificate (--resolve NAME:PORT:ADDRESS maps it), or skip the check "
         "with -k"},
        {error(Errc::tls_verify, Reason::certificate_without_names), none,
         "reissue the certificate with a subject alternative name (RFC 9525 ignores the common "
         "name), or skip the check with -k"},
        {error(Errc::tls_verify, Reason::certificate_dates), none,
         "check this machine's clock, or skip the check with -k"},
        {error(Errc::tls_verify, Reason::certificate_issuer), none,
         "trust its issuer with --cacert FILE, or skip the check with -k"},
        {error(Errc::tls_verify, Reason::certificate_issuer), ca,
         "give another --cacert, because the issuer is not in ca.pem, or skip the check with -k"},
        {error(Errc::receive, Reason::not_http), none,
         "check the port in the URL, and whether the URL needs https"},
        {error(Errc::receive, Reason::bad_coding), none,
         "remove --compressed to receive the stream uncompressed"},
        {error(Errc::receive, Reason::chunked_twice), none,
         "remove the Transfer-Encoding header that the application sets, because its server also "
         "adds one (RFC 9112, 6.1)"},
        {error(Errc::http_status, Reason::redirect), none,
         "use -v to see where each redirect leads"},
        {error(Errc::too_large, Reason::head_too_large), none,
         "run curl -iN with the URL to see the whole response"},
        {error(Errc::too_large), none, "raise --max-event-bytes if you trust the stream"},
        {error(Errc::too_large), largest,
         "use another client: --max-event-bytes is already at its maximum"},
    };
    for (const auto& row : rows) CHECK(hint(row.error, row.change) == row.hint);
}
