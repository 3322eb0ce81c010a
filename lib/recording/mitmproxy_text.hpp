// The texts of the HAR files of mitmproxy: it decodes bodies by rules of its own, which are not
// those of event streams, and these functions undo that.
#pragma once

#include <string>
#include <string_view>

namespace sse {

/// Replaces each byte that mitmproxy could not decode by U+FFFD, as a reader of the stream does.
/// `json` is a JSON text, in which such a byte is the escape of half a surrogate pair (`\udc80` to
/// `\udcff`, Python's surrogateescape). Its length does not change.
void replace_undecoded_bytes(std::string& json);

/// `text` of a body with this content type as UTF-8: mitmproxy reads a text whose type has no
/// charset as ISO 8859-1, unless the type is that of JSON.
std::string without_latin_1(std::string text, std::string_view content_type);

} // namespace sse
