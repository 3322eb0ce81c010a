// Where a response's head ends, and how long its body is (RFC 9112, 6.3). As lenient with heads as
// servers require, and strict where a body could be read in two ways. No I/O.
#pragma once

#include "http/head.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// The position behind the empty line that ends a head; npos if it has not arrived. Lines may end
/// in LF alone (RFC 9112, 2.2), as those of small servers and scripts do. `from`: where to search;
/// the two bytes before what has not been searched yet.
std::size_t end_of_head(std::string_view bytes, std::size_t from);

/// `head` with lines that end in CRLF, and with folded lines joined by a space (RFC 9112, 5.2).
/// White space behind the status line is no fold, and stays for Head to refuse.
std::string normalized_head(std::string_view head);

/// True for 100, 102 and 103, which announce a response; 101 is one.
bool is_interim(std::string_view status_line);

enum class BodyFraming : std::uint8_t {
    none, ///< there is no body
    chunked,
    length, ///< Content-Length
    close,  ///< the body ends with the connection
};

struct ResponseFraming {
    BodyFraming kind = BodyFraming::none;
    std::uint64_t length = 0;
};

/// The framing of the response with this head to a request of `method`. Throws Error (receive;
/// Reason::bad_framing, Reason::chunked_twice) for fields that cannot be used.
ResponseFraming response_framing(const Head& head, std::string_view method, int status);

} // namespace sse
