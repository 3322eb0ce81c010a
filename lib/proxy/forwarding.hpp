// The heads that a proxy passes on: of a request to the upstream server, and of its response to the
// client (RFC 9110, 7.6; RFC 9112). Pure: heads in, bytes out.
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

/// The target that the upstream server is asked for: that of `request` in origin form, behind the
/// base path of `upstream`.
std::string forwarded_target(const Request& request, const Url& upstream, bool hide_token);
/// The target of `request` in origin form, undecoded and without a fragment. `hide_token`: without
/// the parameter `access_token`, which was meant for this server.
std::string origin_target(const Request& request, bool hide_token);

/// Why a request cannot be passed on: one that asks for another protocol than HTTP. "" if it can. A
/// request to upgrade to HTTP/2 can, as one of HTTP/1.1 (RFC 9110, 7.8).
std::string unsupported_upgrade(const Head& head);

/// The Accept-Encoding to send instead of that in `head`: without codings that cannot be decoded.
/// nullopt if the request has none.
std::optional<std::string> narrowed_codings(const Head& head);

/// How the body of a forwarded request is framed.
struct RequestFraming {
    bool chunked = false;
    std::optional<std::uint64_t> length; ///< nullopt without `chunked`: there is no body
};

/// The head of the forwarded request, up to and with its empty line. `hide_token`: the
/// Authorization of the request was meant for this server, too. `expect`: passes on `Expect`, so
/// that the upstream server decides whether it wants the body.
std::string forwarded_request_head(const Request& request, const Url& upstream,
                                   const RequestFraming& framing, bool hide_token, bool expect);

/// How a response is sent to a client.
struct ResponseForm {
    bool chunked = false;    ///< else with its Content-Length, or to the end of the connection
    bool keep_alive = false; ///< the connection stays open after it
    bool http_1_0 = false;   ///< the request was one of HTTP/1.0
};

/// The head of a response as the client gets it. `policy` replaces fields of the same names.
std::string forwarded_response_head(const Head& head, const ResponseFraming& framing,
                                    const ResponseForm& form,
                                    const std::vector<std::pair<std::string, std::string>>& policy);
/// The head of an interim response.
std::string forwarded_interim_head(const Head& head);

/// The end of a chunked body: the last chunk, with the lines of a trailer section that may be
/// passed on (RFC 9110, 6.5). Malformed ones are left out.
std::string chunked_end(std::string_view trailers);

} // namespace sse
