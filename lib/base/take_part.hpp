// The parts of a text that is in memory as a whole, one after another. Lines of bytes that arrive
// in pieces: see LineSplitter.
#pragma once

#include <algorithm>
#include <string_view>

namespace sse {

/// Removes the front of `text` up to and with the first `end`, and returns it without `end`. The
/// last part may have none.
inline std::string_view take_part(std::string_view& text, char end) {
    const auto part = text.substr(0, text.find(end));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

/// The same for a line, which ends in LF or CRLF.
inline std::string_view take_line(std::string_view& text) {
    auto line = take_part(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

} // namespace sse
