#include "cmd/tail/client_hints.hpp"

#include "base/content_coding.hpp"
#include "base/printable.hpp"
#include "cmd/client/connection_hints.hpp"
#include "protocol/event.hpp"

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace cmd {

namespace {

constexpr auto whole_response = "run curl -iN with the URL to see the whole response";

class Hints {
public:
    Hints(const sse::ClientOptions& options, bool opened)
        : options_(options)
        , opened_(opened) {}

    std::string of(const sse::Error& e) const {
        using sse::Reason;
        if (auto hint = connection_hint(e, options_); !hint.empty()) return hint;
        switch (e.reason()) {
        case Reason::head_too_large: return whole_response;
        case Reason::bad_coding: return "remove --compressed to receive the stream uncompressed";
        case Reason::redirect: return "use -v to see where each redirect leads";
        case Reason::credentials_dropped:
            return "use the URL that the redirect leads to: credentials and -H headers are not "
                   "sent to another origin (scheme, host or port)";
        case Reason::json_lines: return "use --ndjson to read JSON lines as events";
        default: break;
        }
        if (const auto* error = dynamic_cast<const sse::HttpStatusError*>(&e))
            return of_response(error->response());
        switch (e.code()) {
        case sse::Errc::connect: return of_address();
        case sse::Errc::timeout: return "allow more time with --connect-timeout or --read-timeout";
        case sse::Errc::too_large: return of_size();
        case sse::Errc::receive: return try_again();
        default: return hint_for(e.code());
        }
    }

private:
    bool sends(std::string_view field) const { return options_.request.find(field) != nullptr; }

    /// How to get further attempts.
    std::string try_again() const {
        if (!opened_ && !options_.retry_connect)
            return "use --retry-connect to keep trying until the stream opens";
        if (opened_ && !options_.reconnect) {
            return options_.request.method == "GET" ? "remove --no-reconnect to reconnect"
                                                    : "use --reconnect to send the request again";
        }
        return "raise --retries, or remove it to retry without a limit";
    }

    std::string of_response(const sse::FailedResponse& response) const {
        switch (response.status) {
        case 401:
        case 403: return of_credentials(response);
        case 404: return "check the path in the URL";
        case 405:
            return options_.request.method == "GET"
                       ? "try another method: -X METHOD, or -d or --json to POST"
                       : "try GET: remove -X, -d and --json";
        case 407:
            if (const auto scheme = unsupported_scheme(response); !scheme.empty())
                return fmt::format("the proxy requires {} authentication, which sse does not "
                                   "support: use curl -N -x with --proxy-anyauth",
                                   scheme);
            return "give the proxy's credentials as -x http://USER:PASSWORD@HOST:PORT";
        case 429:
        case 500:
        case 502:
        case 503:
        case 504: return try_again();
        default: return response.status / 100 == 2 ? of_type(response) : whole_response;
        }
    }

    /// The scheme that a response requires, if it offers none that -u or --bearer can serve.
    static std::string unsupported_scheme(const sse::FailedResponse& response) {
        const auto& schemes = response.auth_schemes;
        if (schemes.empty() || schemes.find("basic") != schemes.npos ||
            schemes.find("bearer") != schemes.npos)
            return {};
        auto first = schemes.substr(0, schemes.find(','));
        for (const char* known : {"Digest", "Negotiate", "NTLM"}) {
            if (sse::same_name(first, known)) return known;
        }
        return sse::printable(first, 40);
    }

    std::string of_credentials(const sse::FailedResponse& response) const {
        if (const auto scheme = unsupported_scheme(response); scheme == "Digest") {
            return "the server requires Digest authentication, which sse does not support: use "
                   "curl -N --digest -u USER:PASSWORD";
        } else if (!scheme.empty()) {
            return fmt::format("the server requires {} authentication, which sse does not support: "
                               "give the credentials it expects with -H 'Authorization: ...'",
                               scheme);
        }
        return sends("Authorization") || sends("Cookie")
                   ? "check the credentials: the server refused them"
                   : "give credentials with -u, --bearer or -H";
    }

    std::string of_type(const sse::FailedResponse& response) const {
        if (!response.coding.empty()) return of_coding(response.coding);
        const auto& type = response.content_type;
        if (type == "text/html")
            return "check the path in the URL, and whether the page asks for a login";
        if (type == "application/json") {
            return "request a stream: many APIs need a parameter such as \"stream\": true; "
                   "--any prints this response as one event";
        }
        return "use --any to read it as an event stream anyway";
    }

    std::string of_coding(std::string_view coding) const {
        if (sse::ContentDecoder::make(coding) && !options_.response.compressed)
            return fmt::format("use --compressed to request and decode {}", sse::known_codings);
        const auto* accepted = options_.request.find("Accept-Encoding");
        if (!accepted || accepted->value != "identity")
            return "request the stream uncompressed with -H 'Accept-Encoding: identity'";
        return fmt::format("decompress it with another program, as in curl -sN URL | {} -dc",
                           coding == "zstd" ? "zstd" : "DECODER");
    }

    std::string of_address() const {
        if (!opened_ && !options_.retry_connect)
            return "check the address, or use --retry-connect to wait for the server";
        return "check that the server is running; " + try_again();
    }

    std::string of_size() const {
        if (options_.parser.max_event_bytes >= sse::most_event_bytes)
            return "use another client: --max-event-bytes is already at its maximum";
        return "raise --max-event-bytes if you trust the stream";
    }

    const sse::ClientOptions& options_;
    bool opened_;
};

} // namespace

std::string client_hint(const sse::Error& error, const sse::ClientOptions& options, bool opened) {
    return Hints(options, opened).of(error);
}

Failure explained(const sse::Error& error, const sse::Client& client) {
    return {exit_status(error.code()), error.what(),
            client_hint(error, client.options(), client.opened())};
}

} // namespace cmd
