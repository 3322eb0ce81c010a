// cpp-httplib's server as a codec: turns a Response into the bytes of an HTTP/1 response. Its
// sockets and threads are not used: it needs a pool thread for each open stream.
#pragma once

#include "server/handler.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

/// One for each loop; used on that loop's thread only.
class ResponseCodec {
public:
    /// `idle`: how long a connection may wait for its next request, which its responses say; 0: no
    /// limit.
    explicit ResponseCodec(std::chrono::milliseconds idle);
    ~ResponseCodec();

    /// The bytes of a response to a request of that method ("GET" if there was none to read). Of a
    /// stream (with a feed, or an event stream without a body) it is the head alone, with the
    /// framing fields for `framing`.
    std::string encode(std::string_view method, Framing framing, bool keep_alive,
                       const Response& response);

private:
    class Adapter;
    std::unique_ptr<Adapter> adapter_;
};

} // namespace sse
