// Base64 (RFC 4648, 4), for bytes that JSON cannot carry.
#pragma once

#include <string>
#include <string_view>

namespace sse {

/// Appends `bytes` in base64, padded, on one line.
void append_base64(std::string_view bytes, std::string& out);

/// Appends the bytes that `text` encodes. False, with `out` as it was, if `text` is not canonical
/// base64: it holds another character (also a line end), lacks padding, or has bits left over.
bool append_from_base64(std::string_view text, std::string& out);

} // namespace sse
