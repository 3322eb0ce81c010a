// Events as POST requests, one after the other: the other end of `sse serve --publish`. Not a
// queue: whoever posts waits until the event is accepted.
#pragma once

#include "base/interrupt.hpp"
#include "client/backoff.hpp"
#include "client/client_request.hpp"
#include "client/client_response.hpp"
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
    /// Its URL and fields; the rest is the poster's.
    ClientRequest request;
    DialOptions dial;
    TlsOptions tls;
    ClientResponseOptions response{.read_timeout = std::chrono::seconds(30),
                                   .send_timeout = std::chrono::seconds(30)};
    /// Quicker than a reader's: an event waits, and all behind it.
    BackoffOptions backoff{.reconnection_time = std::chrono::milliseconds(250),
                           .retry_max = std::chrono::seconds(10)};
    /// Failures in a row of one event before the last one is thrown.
    unsigned retries = 10;
    /// Bytes of a refusal's body that are shown, and how long they are waited for.
    std::size_t shown_body_bytes = 512;
    std::chrono::milliseconds shown_body_wait{1'000};
};

/// Posts in order: each event is accepted (2xx) before the next goes out, over one connection where
/// the server keeps it. An event whose answer was lost is posted again, so a server may have it
/// twice. One thread.
class Poster {
public:
    /// `interrupt` must outlive it. Throws Error (invalid_argument).
    Poster(PosterOptions options, Interrupt& interrupt);
    ~Poster();

    /// Posts `event` as text/event-stream. Retries what may pass: no connection, no answer, 429,
    /// 500, 502 to 504, after the time that the server asks for. Throws Error (http_status) for
    /// another status, the last failure once there were too many, Interrupted.
    void post(const EventView& event);

    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t retried() const { return retried_; }
    /// What the server answered to the last one that it accepted, on one line: its id, say.
    const std::string& last_response() const { return last_response_; }

private:
    /// Throws Error; `may_pass` and `asked` then say whether, and when, to try again.
    void attempt(bool& may_pass, std::optional<std::chrono::milliseconds>& asked);
    std::unique_ptr<ClientConnection> connection();

    PosterOptions options_;
    Interrupt& interrupt_;
    Backoff backoff_;
    std::unique_ptr<TlsContext> tls_;
    std::unique_ptr<ClientConnection> kept_; ///< for the next request
    std::uint64_t accepted_ = 0, retried_ = 0;
    std::string last_response_;
};

} // namespace sse
