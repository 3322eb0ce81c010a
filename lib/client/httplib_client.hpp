// cpp-httplib's client as the reader of status lines. Sockets, TLS, heads and bodies are not its
// business.
#pragma once

#include <string_view>

namespace sse {

/// The status, from 100, of a response that begins with `status_line` (without its end); 0 if this
/// is not the first line of an HTTP/1 response. Opens no descriptor; throws std::bad_alloc at most.
int httplib_status(std::string_view status_line);

} // namespace sse
