// Request options, with the names and meanings of curl's options.
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
    std::optional<std::string> body; ///< of -d or --json, set by complete()
    bool compressed = false, netrc = false;
};

/// Adds the options to `app`, in a group of their own.
void add_request_flags(CLI::App& app, RequestFlags& flags);

/// Reads the files named in `flags`, and a missing password from the terminal. Call it once for all
/// requests: standard input can be read only once. Throws Failure.
void complete(RequestFlags& flags);

/// The proxies of `flags`, or else of the environment: http_proxy, https_proxy, all_proxy and
/// no_proxy, in lower or upper case. HTTP_PROXY in upper case is ignored if REQUEST_METHOD is set,
/// because in a CGI program it contains the Proxy field of a request (RFC 3875, 4.1.18).
sse::ProxyOptions proxies_of(const RequestFlags& flags);

/// The request of `flags`, on which complete() was called. Throws sse::Error (invalid_argument) and
/// Failure.
sse::ClientRequest make_request(const RequestFlags& flags, const sse::Url& url);

} // namespace cmd
