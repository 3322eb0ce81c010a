#include "cmd/tail/client_hints.hpp"

#include "base/printable.hpp"
#include "http/content_coding.hpp"
#include "protocol/event.hpp"

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace cmd {

namespace {

class Hints {
public:
    explicit Hints(const sse::Client& client)
        : options_(client.options())
        , opened_(client.opened()) {}

    std::string of(const sse::Error& e) const {
        if (const auto* response = dynamic_cast<const sse::HttpStatusError*>(&e))
            return of_answer(*response);
        switch (e.reason()) {
        case sse::Reason::proxy:
            return "-x names another proxy, -x '' none, whatever the environment says";
        case sse::Reason::not_an_address:
            return "--resolve takes an address, as HOST:PORT:127.0.0.1";
        case sse::Reason::certificate_name:
            return "use the name that it is for (--resolve NAME:PORT:ADDRESS says where that is), "
                   "or check nothing with -k";
        case sse::Reason::certificate_dates:
            return "check the clock of this machine, or nothing of the certificate with -k";
        case sse::Reason::certificate_issuer: return of_issuer();
        case sse::Reason::client_certificate:
            return options_.tls.cert_file.empty()
                       ? "the server may want a certificate of yours: --cert FILE"
                       : "the server does not take the certificate of --cert";
        case sse::Reason::not_http: return "check the port in the URL, and whether it is https";
        case sse::Reason::head_too_large: return "curl -iN shows the whole answer";
        case sse::Reason::bad_coding: return "leave --compressed out, and it comes as it is";
        case sse::Reason::redirect: return "-v shows where each redirect leads";
        default: break;
        }
        switch (e.code()) {
        case sse::Errc::resolve: return of_name();
        case sse::Errc::connect: return of_address();
        case sse::Errc::timeout: return "--connect-timeout and --read-timeout say how long to wait";
        case sse::Errc::tls_handshake: return "check that the port speaks TLS, or use http";
        case sse::Errc::too_large: return of_size();
        case sse::Errc::receive: return try_again();
        default: return hint_for(e.code());
        }
    }

private:
    bool sends(std::string_view field) const { return options_.request.find(field) != nullptr; }

    /// What makes it try again, or longer.
    std::string try_again() const {
        if (!opened_ && !options_.retry_connect)
            return "--retry-connect tries again until the stream opens";
        if (opened_ && !options_.reconnect) {
            return options_.request.method == "GET" ? "without --no-reconnect it connects again"
                                                    : "--reconnect connects again";
        }
        return "--retries allows more failures in a row, and without it there is no end to them";
    }

    std::string of_answer(const sse::HttpStatusError& response) const {
        switch (response.status()) {
        case 401:
        case 403:
            return sends("Authorization") || sends("Cookie")
                       ? "the server does not take the credentials it was given: check them"
                       : "if it wants credentials, give them with -u, --bearer or -H";
        case 404: return "check the path in the URL";
        case 405:
            return options_.request.method == "GET"
                       ? "another method may be wanted: -X, or -d or --json to POST"
                       : "another method may be wanted: without -X, -d and --json it is GET";
        case 407: return "give the proxy's credentials as -x http://USER:PASSWORD@HOST:PORT";
        case 429:
        case 500:
        case 502:
        case 503:
        case 504: return try_again();
        case 200: return of_type(response);
        default: return "curl -iN shows the whole answer";
        }
    }

    std::string of_type(const sse::HttpStatusError& response) const {
        if (!response.coding().empty()) {
            const std::string none = "-H 'Accept-Encoding: identity' asks for none";
            return options_.response.compressed
                       ? none
                       : fmt::format("--compressed asks for and reads {}; {}", sse::known_codings,
                                     none);
        }
        const auto& type = response.content_type();
        if (type == "text/html")
            return "that is a page: check the path, or whether it wants a login";
        if (type == "application/json")
            return "an API may stream only when asked: a field in the body, or a parameter";
        if (type.find("ndjson") != type.npos || type.find("jsonl") != type.npos)
            return "--ndjson reads JSON lines as events";
        return "curl -iN shows the whole answer";
    }

    std::string of_issuer() const {
        return options_.tls.ca_file.empty()
                   ? "trust its issuer with --cacert FILE, or check nothing with -k"
                   : fmt::format("its issuer is not in {}: name another with --cacert, or check "
                                 "nothing with -k",
                                 sse::printable(options_.tls.ca_file, 200));
    }

    std::string of_name() const {
        if (options_.dial.family != sse::Family::any)
            return "check the host's name in the URL, and whether it has such an address: leave -4 "
                   "and -6 out";
        return "check the host's name in the URL";
    }

    std::string of_address() const {
        if (!options_.dial.unix_socket.empty())
            return "check the path of --unix-socket, and that its server runs";
        if (!opened_ && !options_.retry_connect)
            return "check the address, or wait for the server with --retry-connect";
        return "check that the server runs; " + try_again();
    }

    std::string of_size() const {
        if (options_.parser.max_event_bytes >= sse::most_event_bytes)
            return "no larger event can be read";
        return "raise --max-event-bytes if the stream is to be trusted";
    }

    const sse::ClientOptions& options_;
    bool opened_;
};

} // namespace

Failure explained(const sse::Error& e, const sse::Client& client) {
    return {exit_status(e.code()), e.what(), Hints(client).of(e)};
}

} // namespace cmd
