// The width of text on a terminal. The text must not contain escape sequences (see fold.hpp).
#pragma once

#include <cstddef>
#include <string_view>

namespace cmd {

/// One user-perceived character (a grapheme cluster, UAX 29), which must not be split.
struct Glyph {
    std::string_view bytes;
    std::size_t columns = 0;
};

inline bool is_plain_ascii(char c) { return c >= 0x20 && c < 0x7F; }

/// The first cluster of `text`, which must not be empty. An ill-formed byte is one column, an East
/// Asian wide character or an emoji two, a combining mark none. A joined emoji counts the columns
/// of all its parts, because some terminals show the parts separately.
Glyph first_cluster(std::string_view text);

/// The same, with a fast path for an ASCII character that no mark can follow.
inline Glyph first_glyph(std::string_view text) {
    const bool alone = text.size() == 1 || is_plain_ascii(text[1]);
    return is_plain_ascii(text[0]) && alone ? Glyph{text.substr(0, 1), 1} : first_cluster(text);
}

std::size_t columns_of(std::string_view text);

/// The longest prefix of `text` that fits in `columns`.
std::string_view fitting(std::string_view text, std::size_t columns);

} // namespace cmd
