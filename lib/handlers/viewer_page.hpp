// The page that a browser gets where a program gets the stream. Pure: a request in, an answer out.
#pragma once

#include "server/handler.hpp"

namespace sse {

/// A browser is navigating there: it says so (Sec-Fetch-Mode), or likes text/html better than
/// anything else and than an event stream (RFC 9110, 12.5.1).
bool wants_page(const Request& request);

/// One self-contained page that follows the stream of its own address. Its Content-Security-Policy
/// lets nothing run but its own script, by hash, and nothing be loaded but its own stream.
Response viewer_page();

/// The field that an answer at such an address needs, whichever it is (RFC 9110, 12.5.5).
inline constexpr const char* page_vary = "Accept, Sec-Fetch-Mode";

} // namespace sse
