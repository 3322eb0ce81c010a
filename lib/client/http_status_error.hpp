// A response that is not the stream the client asked for, as an exception.
#pragma once

#include "base/error.hpp"
#include "client/client_response.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

namespace sse {

/// What a hint may need to know of the response. Names are in lower case.
struct FailedResponse {
    int status = 0;
    std::string content_type; ///< without parameters; "" for none
    std::string coding;       ///< the content codings that were not decoded; "" for none
    std::string auth_schemes; ///< `basic, digest`, of WWW- or Proxy-Authenticate; "" for none
    std::optional<std::chrono::milliseconds> retry_after;
};

/// A response with another status or another content type than a stream has (Errc::http_status).
class HttpStatusError : public Error {
public:
    HttpStatusError(const std::string& what, FailedResponse response, Reason reason)
        : Error(Errc::http_status, what, reason)
        , response_(std::move(response)) {}
    int status() const { return response_.status; }
    const FailedResponse& response() const { return response_; }

private:
    FailedResponse response_;
};

/// True for the statuses that may pass without a change to the request: 429, 500, 502, 503, 504.
bool is_retryable(int status);

/// How much of the body an error shows, and how long it waits for it.
struct BodyExcerpt {
    std::size_t bytes = 512;
    std::chrono::milliseconds wait{1'000};
};

/// The error for `response`: `what`, followed by the start of the body on one line. `reason` may be
/// replaced by one that the response gives away.
HttpStatusError http_status_error(std::string what, ClientResponse& response,
                                  const BodyExcerpt& excerpt, Reason reason = Reason::unspecified);

} // namespace sse
