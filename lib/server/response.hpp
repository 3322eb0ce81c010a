// The response of a route to one request. No socket: a ServerConnection sends it.
#pragma once

#include "server/exchange.hpp"
#include "server/server_counts.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sse {

/// With a feed it is a stream: the connection sends the head, then what the feed gives, and closes
/// at the end of the feed; `body` is then unused.
struct Response {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers; ///< without framing fields
    std::string content_type;                                 ///< "" for none
    std::string body;
    std::unique_ptr<Feed> feed;
    /// Instead of everything above: it writes the whole response. `status` is then for the log.
    std::unique_ptr<Exchange> exchange = nullptr;
    Refusal refusal = Refusal::none; ///< for the counts and the log; not sent
    Faults faults = {};              ///< injected on purpose; for the log
    /// GET has a feed: the head of HEAD is the same (RFC 9110, 9.3.2). A feed implies it.
    bool streams = false;
    /// If set, this is not the response yet: it is called once, and calls `send` with the response,
    /// later and on the loop's thread. Whoever sets it bounds the time that this takes.
    std::function<void(std::function<void(Response)> send)> later = {};
};

/// A response of plain text; `body` ends with a line end.
Response text_response(int status, std::string body, Refusal refusal = Refusal::none);

} // namespace sse
