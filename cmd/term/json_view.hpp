// JSON laid out for reading: indented and coloured, with every value as it was sent. Numbers are
// not parsed and keys not sorted, so `1.10`, `1e400` and 19-digit integers stay as they are.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cmd {

/// The escape sequences before each kind of token, and after it; all empty for no colours.
struct Palette {
    std::string_view key, string, number, word, end;
};
/// For terminals: without blue, which is unreadable on a dark background, and yellow, which is on a
/// light one.
inline constexpr Palette colours{"\x1b[36m", "\x1b[32m", "\x1b[35m", "\x1b[35m", "\x1b[0m"};

/// Containers nested deeper than this are laid out on one line, so that indentation multiplies the
/// length of the text by a constant at most.
inline constexpr std::size_t json_view_levels = 16;

/// Appends `text`, laid out in lines of at most `width` columns where possible, each but the first
/// indented by `indent`. `\u` escapes in strings become characters, and control characters become
/// escapes. Returns false, with `out` unchanged, if `text` is not one JSON object or array (RFC
/// 8259), or is nested deeper than 200. The result has at most 32 bytes for each byte of `text`.
bool append_json_view(std::string_view text, std::size_t indent, std::size_t width,
                      const Palette& palette, std::string& out);

} // namespace cmd
