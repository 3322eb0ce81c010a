// The page that shows a stream in a browser. Pure functions of the request.
#pragma once

#include "server/handler.hpp"

namespace sse {

/// The request is a browser's navigation: Sec-Fetch-Mode says so or, without that field, Accept
/// prefers text/html to an event stream and to `*/*` (RFC 9110 12.5.1).
bool wants_page(const Request& request);

/// A self-contained page that shows the stream at its own URL. Its Content-Security-Policy permits
/// only its own script and style, by hash, and connections to its own origin.
Response viewer_page();

/// The Vary field of every response at a URL with such a page (RFC 9110 12.5.5).
inline constexpr const char* page_vary = "Accept, Sec-Fetch-Mode";

} // namespace sse
