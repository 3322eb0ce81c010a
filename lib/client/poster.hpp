// Publishes events as POST requests, one after the other, to a server such as `sse serve
// --publish`. Not a queue: post() returns when the event was accepted.
#pragma once

#include "base/interrupt.hpp"
#include "client/backoff.hpp"
#include "client/client_request.hpp"
#include "client/client_response.hpp"
#include "client/cookies.hpp"
#include "client/http_status_error.hpp"
#include "net/client_connection.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"
#include "protocol/event.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace sse {

struct PosterOptions {
    /// Its URL and fields; method and body are set for each event. User info in the URL becomes
    /// Authorization, unless that field is there.
    ClientRequest request;
    DialOptions dial;
    TlsOptions tls;
    ClientResponseOptions response{.read_timeout = std::chrono::seconds(30),
                                   .send_timeout = std::chrono::seconds(30)};
    /// Shorter waits than a reader's: all later events wait, too.
    BackoffOptions backoff{.reconnection_time = std::chrono::milliseconds(250),
                           .retry_max = std::chrono::seconds(10)};
    /// Failed attempts in a row for one event before the error of the last one is thrown.
    unsigned retries = 10;
    CookieOptions cookies; ///< those that the server sets: a sticky balancer's, say
    BodyExcerpt excerpt;   ///< of a response that refuses an event, in an error
};

/// Posts in order: each event is accepted (2xx) before the next is sent, over one connection where
/// the server keeps it open. An event whose response was lost is posted again, so a server may
/// receive it twice. Used on one thread.
class Poster {
public:
    /// `interrupt` must outlive the poster. Throws Error (invalid_argument).
    Poster(PosterOptions options, Interrupt& interrupt);
    ~Poster();

    /// Posts `event` as text/event-stream. Retries when there is no connection or no response, and
    /// for the statuses of is_retryable(), after the server's Retry-After. Throws HttpStatusError
    /// for another status, the error of the last attempt, Interrupted.
    void post(const EventView& event);
    /// The same for a body as it is, whatever the Content-Type.
    void post_body(std::string body);

    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t retried() const { return retried_; }
    /// The first line of the response to the last accepted event, which may be its id.
    const std::string& last_response() const { return last_response_; }

private:
    void attempt();
    std::unique_ptr<ClientConnection> connection();

    PosterOptions options_;
    Interrupt& interrupt_;
    Backoff backoff_;
    std::unique_ptr<TlsContext> tls_;
    CookieJar cookies_;
    std::unique_ptr<ClientConnection> kept_; ///< for the next request
    std::uint64_t accepted_ = 0, retried_ = 0;
    std::string last_response_;
};

} // namespace sse
