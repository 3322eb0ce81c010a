#include "cmd/term/columns.hpp"

#include <algorithm>
#include <cstddef>
#include <utf8proc.h>

namespace cmd {

namespace {

constexpr utf8proc_int32_t emoji_style = 0xFE0F; ///< makes an emoji of what stands before it

/// A code point, or a byte that is part of none.
struct CodePoint {
    utf8proc_int32_t value = 0xFFFD;
    std::size_t bytes = 1;

    explicit CodePoint(std::string_view text) {
        const auto got = ::utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                            static_cast<utf8proc_ssize_t>(text.size()), &value);
        if (got > 0) bytes = static_cast<std::size_t>(got);
        else value = 0xFFFD;
    }
    std::size_t columns() const {
        const bool inner =
            (value >= 0x1160 && value <= 0x11FF) || (value >= 0xD7B0 && value <= 0xD7FB);
        if (inner) return 0; // Korean vowels and finals, which stand in the syllable before them
        return static_cast<std::size_t>(::utf8proc_charwidth(value));
    }
};

} // namespace

Glyph first_cluster(std::string_view text) {
    CodePoint last(text);
    std::size_t size = last.bytes, columns = last.columns();
    utf8proc_int32_t state = 0;
    while (size < text.size()) {
        const CodePoint next(text.substr(size));
        if (::utf8proc_grapheme_break_stateful(last.value, next.value, &state)) break;
        const bool widened = next.value == emoji_style && columns == 1;
        columns += widened ? 1 : next.columns();
        size += next.bytes;
        last = next;
    }
    return {text.substr(0, size), columns};
}

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const auto end = std::find_if_not(text.begin(), text.end(), is_plain_ascii);
        if (end == text.end()) return columns + text.size();
        // the last of them may have marks behind it
        const auto alone =
            static_cast<std::size_t>(std::max(end - text.begin(), std::ptrdiff_t{1})) - 1;
        columns += alone;
        text.remove_prefix(alone);
        const auto glyph = first_glyph(text);
        columns += glyph.columns;
        text.remove_prefix(glyph.bytes.size());
    }
    return columns;
}

std::string_view fitting(std::string_view text, std::size_t columns) {
    std::size_t size = 0;
    while (size < text.size()) {
        const auto glyph = first_glyph(text.substr(size));
        if (glyph.columns > columns) break;
        columns -= glyph.columns;
        size += glyph.bytes.size();
    }
    return text.substr(0, size);
}

} // namespace cmd
