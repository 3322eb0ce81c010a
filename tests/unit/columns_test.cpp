#include "cmd/term/columns.hpp"

#include "unit/catch2.hpp"

#include <string>

TEST_CASE("columns_of is what a terminal takes for a text") {
    struct Row {
        const char* what;
        std::string text;
        std::size_t columns, glyphs;
    };
    const Row rows[] = {
        {"nothing", "", 0, 0},
        {"ASCII", "abc", 3, 3},
        {"Latin", "\u00e9\u00df", 2, 2},
        {"a letter and a mark on it", "e\u0301x", 2, 2},
        {"three marks on one", "a\u0300\u0323\u0334", 1, 1},
        {"Chinese", "\u4f60\u597d", 4, 2},
        {"Japanese", "\u3042\u30a2\u3002", 6, 3},
        {"half-width katakana", "\uff76\uff9e", 2, 1}, // the second is a mark on the first
        {"full-width Latin", "\uff21\uff22", 4, 2},
        {"Korean", "\ud55c\uae00", 4, 2},
        {"Korean in its letters", "\u1112\u1161\u11ab", 2, 1},
        {"Cyrillic, Arabic", "\u0416\u0639", 2, 2},
        {"an emoji", "\U0001f600", 2, 1},
        {"an emoji by its style", "\u2764\ufe0f", 2, 1},
        {"a keycap", "1\ufe0f\u20e3", 2, 1},
        {"a flag", "\U0001f1e9\U0001f1ea", 2, 1},
        {"two flags", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", 4, 2},
        {"joined emoji, as their parts", "\U0001f469\u200d\U0001f467", 4, 1},
        {"a joiner alone", "a\u200db", 2, 2},
        {"box drawing", "\u2500\u2502", 2, 2},
        {"ill-formed bytes", "\xff\xc3", 2, 2},
        {"a replacement character", "\ufffd", 1, 1},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(cmd::columns_of(row.text) == row.columns);
        std::size_t glyphs = 0;
        for (std::string_view rest = row.text; !rest.empty(); ++glyphs)
            rest.remove_prefix(cmd::first_glyph(rest).bytes.size());
        CHECK(glyphs == row.glyphs);
    }
}

TEST_CASE("fitting cuts between what a reader takes for characters") {
    CHECK(cmd::fitting("abc", 2) == "ab");
    CHECK(cmd::fitting("abc", 3) == "abc");
    CHECK(cmd::fitting("\u4f60\u597d", 3) == "\u4f60");
    CHECK(cmd::fitting("ae\u0301", 2) == "ae\u0301");
    CHECK(cmd::fitting("\U0001f600", 1).empty());
    CHECK(cmd::fitting("", 5).empty());
}
