// Which responses can be event streams.
#pragma once

#include <string_view>

namespace sse {

/// A response with `status` to a request of `method` can be a stream: 200 (HTML 9.2.3), and for
/// methods other than GET also 201 to 203.
constexpr bool is_stream_status(std::string_view method, int status) {
    return status == 200 || (method != "GET" && status > 200 && status < 204);
}

} // namespace sse
