// What a server asks of its routes: a request in, an answer out. No socket on either side.
#pragma once

#include "http/counts.hpp"
#include "http/feed.hpp"
#include "http/head.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sse {

/// A request, whole and within the server's limits.
struct Request {
    std::string method;                 ///< as sent: GET, HEAD, POST ...
    std::string target;                 ///< as sent, undecoded
    std::string path;                   ///< of the target, percent-decoded once
    std::string query;                  ///< of the target, undecoded, without `?`
    Head head;                          ///< field values as sent
    std::string body;                   ///< without transfer coding
    std::string peer;                   ///< address of the client, "unix" for a unix socket
    bool loopback = false;              ///< came over a listener that only this machine reaches
    bool secure = false;                ///< came over TLS
    Framing framing = Framing::chunked; ///< what the feed of a stream must write
};

/// The answer to it. With a feed it is a stream: the connection sends the head, then what the feed
/// gives, and closes at the feed's end; `body` is then unused.
struct Answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers; ///< without framing fields
    std::string content_type;                                 ///< "" for none
    std::string body;
    std::unique_ptr<Feed> feed;
    Refusal refusal = Refusal::none; ///< for the counts and the log; told to nobody
    Faults faults = {};              ///< what is broken about it on purpose; for the log
};

/// An answer of plain text, which ends with a line end.
Answer text_answer(int status, std::string body, Refusal refusal = Refusal::none);

/// The id to resume after: the header's (HTML 9.2.4), or for a page's first request, which cannot
/// set one, the query's `last_event_id`; "" if there is none.
std::string last_event_id(const Request& request);

/// The routes of a server. `answer` is called on a loop's thread (`loop` is its number, from 0) and
/// must not block; with more than one loop, from several threads at once.
class Handler {
public:
    virtual ~Handler() = default;
    virtual Answer answer(const Request& request, std::size_t loop) = 0;
    /// Called on each loop's thread every tick of the server (see ServerOptions).
    virtual void tick(std::size_t /*loop*/) {}
};

} // namespace sse
