// Bytes from the wire as text that is safe in a terminal or an error message. Not JSON, and not
// meant to be read back.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sse {

/// Appends `bytes` to `out` with every character that controls a terminal escaped: control
/// characters (C0, DEL, C1) as `\x1b` or `\u009b`, line and paragraph separators and bidirectional
/// controls as `\u202e`. Ill-formed UTF-8 becomes U+FFFD. Bytes in `kept` stay as they are.
void append_printable(std::string_view bytes, std::string& out, std::string_view kept = {});

/// The same as a value: of the first `limit` bytes, followed by `...` if there are more.
std::string printable(std::string_view bytes, std::size_t limit = 1024);

} // namespace sse
