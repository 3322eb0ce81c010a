// cpp-httplib's client as a codec: it writes requests and reads status lines. Sockets, TLS, time
// and sizes, redirects, field values and bodies are ours.
#pragma once

#include "client/client_request.hpp"

#include <string>
#include <string_view>

namespace sse {

/// Carries the bytes of one exchange; its exceptions come out of httplib_exchange().
class Wire {
public:
    virtual ~Wire() = default;
    virtual void send(std::string_view request) = 0;
    /// The first line of the final answer, without its end.
    virtual std::string receive_status_line() = 0;
};

/// Sends `request`, which check() has passed, over `wire` and returns the answer's status. Throws
/// Error (receive) if the answer is not HTTP/1, and whatever `wire` throws.
int httplib_exchange(const ClientRequest& request, Wire& wire);

} // namespace sse
