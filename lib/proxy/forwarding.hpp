// The heads that a proxy forwards: of a request to the upstream server, and of its response to the
// client (RFC 9110, 7.6; RFC 9112). Pure functions from heads to bytes.
#pragma once

#include "http/head.hpp"
#include "http/response_framing.hpp"
#include "http/url.hpp"
#include "server/request.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// The target of the request to the upstream server: the base path of `upstream`, then the target
/// of `request` in origin form.
std::string forwarded_target(const Request& request, const Url& upstream, bool hide_token);
/// The target of `request` in origin form, not decoded and without a fragment. `hide_token`:
/// without the parameter `access_token`, which is for this server.
std::string origin_target(const Request& request, bool hide_token);

/// The protocol other than HTTP that a request asks to upgrade to, so that it cannot be forwarded;
/// "" if it can. A request to upgrade to HTTP/2 can be forwarded as HTTP/1.1 (RFC 9110, 7.8).
std::string unsupported_upgrade(const Head& head);

/// The Accept-Encoding to send instead of that in `head`: without codings that cannot be decoded.
/// nullopt if the request has none.
std::optional<std::string> narrowed_codings(const Head& head);

/// How the body of a forwarded request is framed.
struct RequestFraming {
    bool chunked = false;
    std::optional<std::uint64_t> length; ///< nullopt without `chunked`: there is no body
};

/// The head of the forwarded request, including its empty line. `hide_token`: the Authorization of
/// the request is for this server, and is not forwarded. `expect`: forwards `Expect`, so that the
/// upstream server decides whether the client sends the body.
std::string forwarded_request_head(const Request& request, const Url& upstream,
                                   const RequestFraming& framing, bool hide_token, bool expect);

/// How a response is sent to a client.
struct ResponseForm {
    bool chunked = false;    ///< else with its Content-Length, or to the end of the connection
    bool keep_alive = false; ///< the connection stays open after it
    bool http_1_0 = false;   ///< the request was one of HTTP/1.0
};

/// The head of a response as the client receives it. `policy` replaces fields of the same names.
std::string forwarded_response_head(const Head& head, const ResponseFraming& framing,
                                    const ResponseForm& form,
                                    const std::vector<std::pair<std::string, std::string>>& policy);
/// The head of an interim response.
std::string forwarded_interim_head(const Head& head);

/// The end of a chunked body: the last chunk, with the lines of a trailer section that may be
/// forwarded (RFC 9110, 6.5). Malformed lines are omitted.
std::string chunked_end(std::string_view trailers);

} // namespace sse
