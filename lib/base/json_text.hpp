// Writes the pieces of JSON text that recordings and printers need. Not a JSON library: it builds
// no tree and parses nothing.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace sse {

/// Appends `text` as a JSON string with its quotes (RFC 8259, 7). Control characters, `"` and `\`
/// are escaped; so are U+2028 and U+2029, which end a line for some readers; ill-formed UTF-8
/// becomes U+FFFD. The result is one line.
void append_json_string(std::string_view text, std::string& out);

/// Appends `time` as a number of seconds with six decimal places: exact.
void append_seconds(std::chrono::microseconds time, std::string& out);

} // namespace sse
