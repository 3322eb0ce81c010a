// How wide text is on a terminal. Text without escape sequences: they are fold.hpp's to know.
#pragma once

#include <cstddef>
#include <string_view>

namespace cmd {

/// What a reader takes for one character (a grapheme cluster, UAX 29): never cut in two.
struct Glyph {
    std::string_view bytes;
    std::size_t columns = 0;
};

inline bool is_plain_ascii(char c) { return c >= 0x20 && c < 0x7F; }

/// The first of `text`, which is not empty; ill-formed bytes are a column each. East Asian wide
/// characters and emoji take two columns, marks none. Emoji that are joined to one count as all
/// their parts: some terminals show them so, and the others have room to spare.
Glyph first_cluster(std::string_view text);

/// The same, quicker where that is ASCII, which a mark may follow.
inline Glyph first_glyph(std::string_view text) {
    const bool alone = text.size() == 1 || is_plain_ascii(text[1]);
    return is_plain_ascii(text[0]) && alone ? Glyph{text.substr(0, 1), 1} : first_cluster(text);
}

std::size_t columns_of(std::string_view text);

/// As much of `text` as has room in `columns`.
std::string_view fitting(std::string_view text, std::size_t columns);

} // namespace cmd
