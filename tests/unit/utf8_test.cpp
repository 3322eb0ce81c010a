#include "base/utf8.hpp"
#include "unit/catch2.hpp"

#include <string>

using namespace std::string_literals;

TEST_CASE("append_utf8 replaces each maximal ill-formed part, as the Encoding standard does") {
    struct Row {
        const char* what;
        std::string bytes, text;
    };
    const Row rows[] = {
        {"nothing", "", ""},
        {"ASCII", "abc\0\x7F"s, "abc\0\x7F"s},
        {"two, three, four bytes", "\u00E9\u20AC\U0001F600", "\u00E9\u20AC\U0001F600"},
        {"the first and last of each length", "\u0080\u07FF\u0800\uFFFF\U00010000\U0010FFFF",
         "\u0080\u07FF\u0800\uFFFF\U00010000\U0010FFFF"},
        {"both sides of the surrogates", "\uD7FF\uE000", "\uD7FF\uE000"},
        {"a lone trail byte",
         "a\x80"
         "b",
         "a\uFFFDb"},
        {"each trail byte by itself", "\x80\xBF", "\uFFFD\uFFFD"},
        {"bytes that no character has", "\xC0\xC1\xF5\xFF", "\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"a cut character is one", "a\xE2\x82", "a\uFFFD"},
        {"also four bytes cut at three", "\xF0\x9F\x98|", "\uFFFD|"},
        {"and before a good one", "\xE2\x82\u20AC", "\uFFFD\u20AC"},
        {"a lead byte before ASCII",
         "\xE2"
         "a",
         "\uFFFDa"},
        {"an overlong slash is two", "\xC0\xAF", "\uFFFD\uFFFD"},
        {"an overlong LF is two, and no LF", "\xC0\x8A", "\uFFFD\uFFFD"},
        {"overlong in three bytes is three", "\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},
        {"overlong in four bytes is four", "\xF0\x80\x80\xAF", "\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"a surrogate is three", "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
        {"beyond U+10FFFF is four", "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
        {"Unicode's own example (table 3-8)", "\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41",
         "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41"},
        {"and its example of cut ones (table 3-11)", "\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41",
         "\uFFFD\uFFFD\uFFFD\uFFFD\x41"},
        {"a BOM stays", "\xEF\xBB\xBF", "\uFEFF"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        std::string out = "|";
        sse::append_utf8(row.bytes, out);
        CHECK(out == "|" + row.text);
        CHECK(sse::is_utf8(row.bytes) == (row.bytes == row.text));
        CHECK(sse::is_utf8(out));
    }
}

TEST_CASE("utf8_prefix never cuts a character") {
    const std::string text = "a\u00E9\u20AC\U0001F600"; // 1 + 2 + 3 + 4 bytes
    const std::size_t whole[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (std::size_t limit = 0; limit < std::size(whole); ++limit) {
        INFO(limit);
        CHECK(sse::utf8_prefix(text, limit) == text.substr(0, whole[limit]));
    }
}
