// One HTTP request as the server's routes see it. No socket.
#pragma once

#include "http/head.hpp"
#include "protocol/chunked.hpp"

#include <string>

namespace sse {

/// A request, complete and within the server's limits.
struct Request {
    std::string method;    ///< as sent: GET, HEAD, POST ...
    std::string target;    ///< as sent, undecoded
    std::string path;      ///< of the target, percent-decoded once
    std::string query;     ///< of the target, undecoded, without `?`
    Head head;             ///< field values as sent
    std::string body;      ///< without transfer coding
    std::string trailers;  ///< of a chunked body: their lines, each with its CRLF; not checked
    std::string peer;      ///< address of the client; "unix": over a unix socket
    bool loopback = false; ///< the connection's local address is a loopback one; false: unix socket
    bool private_network = false;       ///< ... a private one; see IpAddress::is_private()
    bool all_interfaces = false;        ///< its listener is bound to the unspecified address
    bool secure = false;                ///< came over TLS
    Framing framing = Framing::chunked; ///< what the feed of a stream must write
};

/// The last event ID of a client that resumes: the header's (HTML 9.2.4), else that of the query
/// (`last_event_id` or `lastEventId`), since a page cannot set headers; "" if there is none. A
/// header that is not UTF-8 is read as ISO-8859-1.
std::string last_event_id(const Request& request);

} // namespace sse
