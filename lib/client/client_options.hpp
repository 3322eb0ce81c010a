// What a client is told: where to, how, and how often. Not a command line.
#pragma once

#include "client/backoff.hpp"
#include "client/client_request.hpp"
#include "client/client_response.hpp"
#include "client/http_status_error.hpp"
#include "client/proxy.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"
#include "protocol/parser.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace sse {

struct ClientOptions {
    /// What is asked for, again with every reconnection: to its URL, whatever redirects followed.
    ClientRequest request;
    DialOptions dial;
    /// Not used with a unix socket. A Proxy-Authorization among the request's fields goes to the
    /// proxy and nowhere else.
    ProxyOptions proxy;
    TlsOptions tls;
    ClientResponseOptions response;
    ParserOptions parser;
    BackoffOptions backoff;
    /// Connects again after the end of a stream, and after failures once it has been open.
    bool reconnect = true;
    /// Connects again also when it has never been open.
    bool retry_connect = false;
    /// Connects again also after a request that is no GET, but with a GET and only once there is an
    /// id to go on from: so MCP has it of the answers to its POSTs (Streamable HTTP, "Resumability
    /// and Redelivery").
    bool resume_with_get = false;
    /// Goes on trying when the stream ended whole and then nobody listened there any more. Else
    /// that is taken for the end of a server that has said all.
    bool keep_when_gone = false;
    /// Failed attempts in a row before the last one's error is thrown; nullopt: no end.
    std::optional<unsigned> retries;
    /// For Last-Event-ID on the first request; "" for none.
    std::string last_event_id;
    /// Fetch's limit.
    unsigned max_redirects = 20;
    /// Longer ids are not sent: most servers refuse heads over 8 KiB, and would again and again.
    std::size_t max_sent_id_bytes = 4096;
    ShownBody shown_body; ///< of an answer that is no stream
    /// The answer is JSON lines, whatever its content type says; else only if that says so.
    bool json_lines = false;
    /// The parser is fed line by line, so that whoever stops in on_event hears no byte behind it.
    bool feed_lines = false;
    /// Numbers from 0 to less than 1, for the jitter of waits; empty: seeded by the system.
    std::function<double()> random;
};

} // namespace sse
