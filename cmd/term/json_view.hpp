// JSON laid out for reading: indented and coloured, every value as it was sent. It reads no number
// and orders no key, so `1.10`, `1e400` and 19-digit integers stay what they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cmd {

/// Escape sequences around what they colour; all empty for none.
struct Palette {
    std::string_view key, string, number, word, end;
};
/// What a terminal gets: no blue, which cannot be read on dark ground, and no yellow, for the
/// light.
inline constexpr Palette colours{"\x1b[36m", "\x1b[32m", "\x1b[35m", "\x1b[35m", "\x1b[0m"};

/// Appends `text` laid out in lines of up to `width` columns where it can be, each but the first
/// indented by `indent`; control characters are written out. False, with `out` as it was, if `text`
/// is not one JSON object or array (RFC 8259), or is nested deeper than 200.
bool append_json_view(std::string_view text, std::size_t indent, std::size_t width,
                      const Palette& palette, std::string& out);

} // namespace cmd
