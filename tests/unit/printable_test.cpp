#include "base/printable.hpp"

#include "unit/catch2.hpp"

TEST_CASE("printable writes out what a terminal would act on") {
    CHECK(sse::printable("plain \xC3\xA9 \xF0\x9F\x98\x80") == "plain \xC3\xA9 \xF0\x9F\x98\x80");
    CHECK(sse::printable("\x1b[2J\a\r\n\t\x7F") == "\\x1b[2J\\x07\\x0d\\x0a\\x09\\x7f");
    CHECK(sse::printable("\xC2\x9B"
                         "31m \xC2\xA0") == "\\u009b31m \xC2\xA0"); // C1, and not NBSP
    CHECK(sse::printable("a\xE2\x80\xAE"
                         "b\xE2\x81\xA6\xE2\x80\xA8") == "a\\u202eb\\u2066\\u2028");
    CHECK(sse::printable("\xD8\x9C\xD8\xA7") == "\\u061c\xD8\xA7"); // a mark, and a letter
    CHECK(sse::printable(std::string("a\0b", 3)) == "a\\x00b");
    CHECK(sse::printable("\xFF\x9B") == "\xEF\xBF\xBD\xEF\xBF\xBD");
    CHECK(sse::printable("abcdef", 3) == "abc...");
    CHECK(sse::printable("\xC3\xA9\xC3\xA9", 3) == "\xC3\xA9...");
    std::string out;
    sse::append_printable("a\tb\n\x01", out, "\t\n");
    CHECK(out == "a\tb\n\\x01");
}
