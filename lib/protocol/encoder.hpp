// Events in, text/event-stream bytes out (HTML 9.2.5). Not a channel: it assigns no ids and has no
// state.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace sse {

/// Appends `event` to `out` as one block. The id comes last: many clients keep an id as soon as
/// they have read its line, and would skip an event whose block is cut behind it. CR, LF and CRLF
/// in `data` all end a line, so a CR comes back from a parser as LF; ill-formed UTF-8 goes out as
/// U+FFFD. Throws Error (bad_input), leaving `out` as it was, if type or id holds CR, LF or NUL,
/// which the format cannot represent.
void encode(const EventView& event, std::string& out);

/// Appends an `id` field in a block of its own, which sets a client's last event ID and dispatches
/// no event (HTML 9.2.6). `id` must hold no CR, LF or NUL.
void encode_id(std::string_view id, std::string& out);

/// Appends a comment: one `:` line for each line of `text`, and a blank line. `text` begins
/// directly behind the colon, as Parser::Sink::on_comment gives it.
void encode_comment(std::string_view text, std::string& out);

/// Appends a `retry` field in a block of its own: the reconnection time for clients.
void encode_retry(std::chrono::milliseconds retry, std::string& out);

} // namespace sse
