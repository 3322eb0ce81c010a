// cpp-httplib's client as a codec: it formats requests and parses status lines. Sockets, TLS, time
// and size limits, redirects, field values and bodies are not its business.
#pragma once

#include "client/client_request.hpp"

#include <string>
#include <string_view>

namespace sse {

/// Sends one request and receives the start of its response. Exceptions pass through
/// httplib_send().
class HttpWire {
public:
    virtual ~HttpWire() = default;
    virtual void send(std::string_view request) = 0;
    /// The first line of the final response, without its end.
    virtual std::string receive_status_line() = 0;
};

/// Sends `request`, which check() has accepted, over `wire` and returns the status of the response.
/// Throws Error (receive, Reason::not_http) if the response is not HTTP/1, and whatever `wire`
/// throws.
int httplib_send(const ClientRequest& request, HttpWire& wire);

} // namespace sse
