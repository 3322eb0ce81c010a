// Validates UTF-8 and replaces ill-formed parts. Not a stream decoder: takes whole texts.
#pragma once

#include <string>
#include <string_view>

namespace sse {

/// U+FFFD, which replaces each ill-formed sequence.
inline constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

/// The byte order mark that a stream or a file may begin with.
inline constexpr std::string_view bom = "\xEF\xBB\xBF";

/// True if `bytes` are well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view bytes);

/// Appends `bytes` to `out`, each maximal ill-formed subpart replaced by U+FFFD, as the Encoding
/// standard's UTF-8 decoder does (without its BOM handling).
void append_utf8(std::string_view bytes, std::string& out);

/// `bytes` cut to at most `limit` bytes, never inside a character.
std::string_view utf8_prefix(std::string_view bytes, std::size_t limit);

} // namespace sse
