#include "cmd/explain.hpp"

#include "http/client.hpp"
#include "http/content_coding.hpp"

#include <fmt/format.h>
#include <string>
#include <string_view>

namespace cmd {

namespace {

std::string hint_for(const sse::AnswerError& answer) {
    switch (answer.status()) {
    case 401:
    case 403: return "give credentials with -u, --bearer or -H, if you have them";
    case 404: return "check the path in the URL";
    case 405: return "another method may be wanted: -X, or -d or --json to POST";
    case 407: return "give the proxy's credentials as -x http://USER:PASSWORD@HOST:PORT";
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return "--retry-connect tries again until the stream opens";
    case 200: break;
    default: return "curl -iN shows the whole answer";
    }
    if (!answer.coding().empty()) {
        return fmt::format("--compressed asks for and reads {}; -H 'Accept-Encoding: identity' "
                           "asks for none",
                           sse::known_codings);
    }
    const auto& type = answer.content_type();
    if (type == "text/html") return "that is a page: check the path, or whether it wants a login";
    if (type == "application/json")
        return "an API may stream only when asked: a field in the body, or a parameter";
    if (type.find("ndjson") != type.npos || type.find("jsonl") != type.npos)
        return "--ndjson reads JSON lines as events";
    return "curl -iN shows the whole answer";
}

} // namespace

Failure explained(const sse::Error& e) {
    const auto hint = [&]() -> std::string {
        if (const auto* answer = dynamic_cast<const sse::AnswerError*>(&e))
            return hint_for(*answer);
        if (std::string_view(e.what()).starts_with("the proxy: "))
            return "-x names another proxy, -x '' none, whatever the environment says";
        switch (e.code()) {
        case sse::Errc::invalid_argument: return "sse tail --help lists what there is";
        case sse::Errc::resolve: return "check the host's name in the URL";
        case sse::Errc::connect:
            return "check the address, or wait for the server with --retry-connect";
        case sse::Errc::timeout: return "--connect-timeout and --read-timeout say how long to wait";
        case sse::Errc::tls_verify:
            return "trust its issuer with --cacert FILE, or check nothing with -k";
        case sse::Errc::tls_handshake: return "check that the port speaks TLS, or use http";
        case sse::Errc::too_large: return "raise --max-event-bytes if the stream is to be trusted";
        case sse::Errc::receive: return "--reconnect connects again";
        default: return {};
        }
    }();
    return {exit_status(e.code()), e.what(), hint};
}

} // namespace cmd
