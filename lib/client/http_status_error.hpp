// An answer that is not what was asked for, as an error that says what it is.
#pragma once

#include "base/error.hpp"
#include "client/client_response.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// An answer that is no stream of events: another status, or another content type.
class HttpStatusError : public Error {
public:
    HttpStatusError(const std::string& what, int status, std::string content_type,
                    std::string coding, std::optional<std::chrono::milliseconds> retry_after)
        : Error(Errc::http_status, what)
        , status_(status)
        , content_type_(std::move(content_type))
        , coding_(std::move(coding))
        , retry_after_(retry_after) {}
    int status() const { return status_; }
    const std::string& content_type() const {
        return content_type_;
    }                                                     ///< essence, lowercase; "" for none
    const std::string& coding() const { return coding_; } ///< that was not taken off; "" for none
    std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }

private:
    int status_;
    std::string content_type_, coding_;
    std::optional<std::chrono::milliseconds> retry_after_;
};

/// How much of the body of such an answer is shown, and how long it is waited for.
struct ShownBody {
    std::size_t bytes = 512;
    std::chrono::milliseconds wait{1'000};
};

/// `what` with the start of the body of `reply` behind it.
HttpStatusError http_status_error(std::string what, ClientResponse& response,
                                  const ShownBody& shown);

} // namespace sse
