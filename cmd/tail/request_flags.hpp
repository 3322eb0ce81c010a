// The options of a request, named and defined as those of curl, and the request that they describe.
#pragma once

#include "client/client_request.hpp"
#include "client/proxy.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct RequestFlags {
    std::string method; ///< -X; "" for GET, or POST when there is data
    std::vector<std::string>
        headers;                   ///< -H: `Name: value`, `Name;` empty, `Name:` removed, `@file`
    std::vector<std::string> data; ///< -d: text, `@file` without its line ends, `@-` stdin
    std::vector<std::string> json; ///< --json: the same, but files as they are
    std::vector<std::string> cookies; ///< -b
    std::string user, bearer;
    std::string netrc_file; ///< --netrc-file
    std::optional<std::string> agent, proxy, no_proxy;
    std::optional<std::string> body; ///< of -d or --json, once it is complete
    bool compressed = false, netrc = false;
};

/// Adds the options to `app`, in a group of their own.
void add_request_flags(CLI::App& app, RequestFlags& flags);

/// Reads the files that `flags` name, and prompts for a missing password. Call once, however many
/// requests there are: standard input can be read only once. Throws Failure.
void complete(RequestFlags& flags);

/// The proxies of `flags`, else of the environment: http_proxy, https_proxy, all_proxy and
/// no_proxy, in lower or upper case. HTTP_PROXY in upper case is ignored where REQUEST_METHOD is
/// set: there a web server may have made it from a header field (RFC 3875, 4.1.18).
sse::ProxyOptions proxies_of(const RequestFlags& flags);

/// The request that `flags` describe after complete(). Throws sse::Error (invalid_argument) and
/// Failure.
sse::ClientRequest make_request(const RequestFlags& flags, const sse::Url& url);

} // namespace cmd
