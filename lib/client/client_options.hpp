// The settings of a Client: what it requests, how it connects, and when it reconnects. Not a
// command line.
#pragma once

#include "client/backoff.hpp"
#include "client/client_request.hpp"
#include "client/client_response.hpp"
#include "client/cookies.hpp"
#include "client/http_status_error.hpp"
#include "client/proxy.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"
#include "protocol/parser.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace sse {

struct ClientOptions {
    /// Sent for each connection, to its own URL, whatever redirects the last one followed.
    ClientRequest request;
    DialOptions dial;
    /// Not used with a unix socket. A Proxy-Authorization among the request's fields is sent to the
    /// proxy only.
    ProxyOptions proxy;
    CookieOptions cookies; ///< those that the server sets
    TlsOptions tls;
    ClientResponseOptions response;
    ParserOptions parser;
    BackoffOptions backoff;
    /// Reconnects after the end of a stream, and after failures once it has been open.
    bool reconnect = true;
    /// Also retries a first connection that fails.
    bool retry_connect = false;
    /// Also reconnects after a request other than GET, with a GET, and only once there is an id to
    /// resume from, as MCP defines it for responses to POST (Streamable HTTP, "Resumability and
    /// Redelivery").
    bool resume_with_get = false;
    /// Keeps trying when the stream ended cleanly and the server then refuses connections. Else the
    /// client takes that for the end of the server's work.
    bool reconnect_when_refused = false;
    /// Failed attempts in a row before the error of the last one is thrown; nullopt: unlimited.
    std::optional<unsigned> retries;
    /// For Last-Event-ID on the first request; "" for none.
    std::string last_event_id;
    /// Fetch's limit (Fetch 4.4).
    unsigned max_redirects = 20;
    /// Longer ids are not sent: most servers refuse heads over 8 KiB, and would each time.
    std::size_t max_sent_id_bytes = 4096;
    BodyExcerpt excerpt; ///< of a response that is no stream, in an error
    /// Reads JSON lines, whatever the content type; else only where the content type is one of
    /// theirs.
    bool json_lines = false;
    /// Reads an event stream whatever the status and content type; a JSON type is one event.
    bool any_response = false;
    /// Feeds the parser line by line, so that stopping in on_event leaves later bytes unread.
    bool feed_lines = false;
    /// Numbers from 0 to less than 1, for the jitter of waits; empty: seeded by the system.
    std::function<double()> random;
};

} // namespace sse
