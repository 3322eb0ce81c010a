#include "base/json_text.hpp"

#include "unit/catch2.hpp"

#include <simdjson.h>

namespace {

std::string json(std::string_view text) {
    std::string out;
    sse::append_json_string(text, out);
    return out;
}

} // namespace

TEST_CASE("a JSON string holds any text on one line") {
    struct Row {
        const char* rule;
        std::string text, json;
    };
    const Row rows[] = {
        {"plain text stays", "hello, world", R"("hello, world")"},
        {"nothing is an empty string", "", R"("")"},
        {"quotes and backslashes are escaped", R"(a"b\c)", R"("a\"b\\c")"},
        {"line ends and tabs have short names", "a\nb\rc\td", R"("a\nb\rc\td")"},
        {"other controls are numbered", std::string("\x01\x1f\0", 3), R"("\u0001\u001f\u0000")"},
        {"DEL and a slash stay", "\x7f/", "\"\x7f/\""},
        {"U+2028 and U+2029 are escaped", "a\u2028b\u2029", R"("a\u2028b\u2029")"},
        {"their neighbours stay", "\u2027\u202a\u20ac", "\"\u2027\u202a\u20ac\""},
        {"ill-formed UTF-8 is replaced", "a\xff\xe2\x80", "\"a\ufffd\ufffd\""},
        {"four-byte characters stay", "\U0001F600", "\"\U0001F600\""},
    };
    for (const auto& row : rows) {
        INFO(row.rule);
        CHECK(json(row.text) == row.json);
    }
}

TEST_CASE("an escape is found at any place in a long text, and reads back") {
    simdjson::ondemand::parser parser;
    for (const std::string_view mark : {"\"", "\\", "\n", "\x01", "\u2028", "\u20ac"}) {
        for (std::size_t before = 0; before < 40; ++before) {
            const auto text = std::string(before, 'x').append(mark).append(40 - before, 'y');
            const simdjson::padded_string padded(json(text));
            auto document = parser.iterate(padded);
            INFO("after " << before << " bytes");
            CHECK(std::string_view(document.get_string()) == text);
        }
    }
}

TEST_CASE("ill-formed UTF-8 is replaced at any place in a text") {
    for (std::size_t before = 0; before < 40; ++before) {
        for (const std::string_view start : {"", "\u00e9", "\""}) {
            for (const std::string_view good : {"y", "\u20ac", "\""}) {
                const auto around = [&](std::string_view middle) {
                    std::string text(start);
                    text.append(before, 'x').append(middle);
                    for (int i = 0; i < 20; ++i) text.append(good);
                    return text;
                };
                INFO("after " << start << " and " << before << " bytes, before " << good);
                CHECK(json(around("\xff")) == json(around("\ufffd")));
                CHECK(json(around("\xe2\x80")) == json(around("\ufffd")));
            }
        }
    }
}

TEST_CASE("a long text reads back, whatever is escaped in it") {
    simdjson::ondemand::parser parser;
    for (const std::string_view mark : {"\"", "\x01", "\u2028", "\u20ac", "x\"", "seven7\\"}) {
        std::string text;
        while (text.size() < 20'000) text.append(mark);
        for (const std::size_t cut : {0u, 1u, 2u, 3u, 5u, 7u}) {
            const simdjson::padded_string padded(json(std::string(cut, 'a') + text));
            auto document = parser.iterate(padded);
            CHECK(std::string_view(document.get_string()) == std::string(cut, 'a') + text);
        }
    }
}

TEST_CASE("seconds have six digits") {
    struct Row {
        long long microseconds;
        const char* text;
    };
    const Row rows[] = {{0, "0.000000"},
                        {1, "0.000001"},
                        {512'034, "0.512034"},
                        {15'000'000, "15.000000"},
                        {1'000'000'000'000'001, "1000000000.000001"}};
    for (const auto& row : rows) {
        std::string out;
        sse::append_seconds(std::chrono::microseconds(row.microseconds), out);
        CHECK(out == row.text);
    }
}
