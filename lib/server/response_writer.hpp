// Turns a Response into the bytes of an HTTP/1.1 response. No socket.
#pragma once

#include "server/handler.hpp"
#include "server/httplib_server.hpp"

#include <chrono>
#include <ctime>
#include <string>
#include <string_view>

namespace sse {

/// One for each loop; used on that loop's thread only.
class ResponseWriter {
public:
    /// `idle`: how long a connection may wait for its next request, which its responses say; 0: no
    /// limit.
    explicit ResponseWriter(std::chrono::milliseconds idle);

    /// The bytes of a response to a request of that method ("GET" if there was none to read). Of a
    /// stream (with a feed, or an event stream without a body) it is the head alone, with the
    /// framing fields for `framing`.
    std::string bytes(std::string_view method, Framing framing, bool keep_alive,
                      const Response& response);

private:
    std::string keep_alive_; ///< the value of Keep-Alive
    std::string date_;       ///< the value of Date
    std::time_t date_of_ = -1;
    StatusLines status_lines_;
};

} // namespace sse
