#include "cmd/term/fold.hpp"
#include "unit/catch2.hpp"

#include <string>

namespace {

std::string folded(std::string_view text, std::size_t width = 20) {
    std::string out;
    cmd::append_folded(text, width, out);
    return out;
}

} // namespace

TEST_CASE("append_folded cuts lines to the width, at a space if one is near") {
    struct Row {
        const char *what, *text, *out;
    };
    const Row rows[] = {
        {"short", "abc", "abc"},
        {"nothing", "", ""},
        {"line ends stay", "a\n\nb\n", "a\n\nb\n"},
        {"as wide as it may be", "12345678901234567890", "12345678901234567890"},
        {"one more", "12345678901234567890x", "12345678901234567890\n  x"},
        {"twice", "12345678901234567890abcdefghijklmnopqrstuvwxyz",
         "12345678901234567890\n  abcdefghijklmnopqr\n  stuvwxyz"},
        {"at a space", "12345678901234 67890x", "12345678901234\n  67890x"},
        {"at the last of them", "123456789 1234 67 90x", "123456789 1234 67\n  90x"},
        {"not at an early one", "1 345678901234567890x", "1 345678901234567890\n  x"},
        {"deeper than itself", "    12345678901234567890", "    1234567890123456\n      7890"},
        {"each line by itself", "12345678901234567890x\ny", "12345678901234567890\n  x\ny"},
        {"a code point is a column",
         "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
         "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9x",
         "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"
         "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\n  x"},
        {"a wide one is two", "\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597dx",
         "\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597d\u4f60\u597d\n  x"},
        {"and no half of it fits", "1234567890123456789\u4f60x", "1234567890123456789\n  \u4f60x"},
        {"a mark stays with its letter", "1234567890123456789e\u0301x",
         "1234567890123456789e\u0301\n  x"},
        {"so does what is joined", "123456789012345678\U0001f469\u200d\U0001f467",
         "123456789012345678\n  \U0001f469\u200d\U0001f467"},
        {"colours are none", "\x1b[1;31m12345678901234567890\x1b[0m",
         "\x1b[1;31m12345678901234567890\x1b[0m"},
        {"and stay whole", "1234567890123456789\x1b[1;31m0x\x1b[0m",
         "1234567890123456789\x1b[1;31m0\n  x\x1b[0m"},
        {"an escape without end", "1234567890123456789012\x1b[", "12345678901234567890\n  12\x1b["},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(folded(row.text) == row.out);
    }
    CHECK(folded("12345678901234567890x", 3) == "12345678901234567890\n  x");
    CHECK(folded(std::string(200, ' ') + "x", 20).size() < 2000); // ends
}
