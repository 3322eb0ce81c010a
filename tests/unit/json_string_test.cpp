#include "base/json_string.hpp"

#include "base/json_number.hpp"
#include "unit/catch2.hpp"

TEST_CASE("the text of JSON strings") {
    struct Row {
        std::string json, text;
    };
    const Row rows[] = {
        {R"("")", ""},
        {R"("a\"\\\/\b\f\n\r\t")", "a\"\\/\b\f\n\r\t"},
        {R"("\u0041\u00e9\u20ac\ud83d\ude00")", "A\u00e9\u20ac\U0001F600"},
        {R"("x\ud83d")", "x\xED\xA0\xBD"},
        {R"("\ude00y")", "\xED\xB8\x80y"},
        {R"("\ud83d\u0041")", "\xED\xA0\xBD"
                              "A"},
        {R"("\ud83d\ud83d\ude00")", "\xED\xA0\xBD\U0001F600"},
    };
    for (const auto& row : rows) {
        INFO(row.json);
        std::string text;
        CHECK(sse::append_json_text(row.json, text));
        CHECK(text == row.text);
    }
    for (const auto* bad : {"", "\"", "1", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\"}) {
        INFO(bad);
        std::string text;
        CHECK_FALSE(sse::append_json_text(bad, text));
    }
}

TEST_CASE("halves of surrogate pairs are joined over texts, and no half vanishes") {
    const std::string high = "\xED\xA0\xBD", low = "\xED\xB8\x80"; // of U+1F600
    struct Row {
        std::vector<std::string> texts;
        std::string joined;
    };
    const Row rows[] = {
        {{"plain ", "text \uD55C"}, "plain text \uD55C"}, // 0xED begins this character as well
        {{"you " + high, low + "!"}, "you \U0001F600!"},
        {{high + low}, "\U0001F600"},
        {{high, "", low}, "\U0001F600"},
        {{high, "a", low}, "\uFFFDa\uFFFD"},
        {{high, high, low}, "\uFFFD\U0001F600"},
        {{low, high}, "\uFFFD\uFFFD"},
        {{high, low + low}, "\U0001F600\uFFFD"},
        {{high, "\uD55C"}, "\uFFFD\uD55C"},
    };
    for (const auto& row : rows) {
        sse::SurrogateJoiner joiner;
        std::string out;
        for (const auto& text : row.texts) joiner.append(text, out);
        joiner.finish(out);
        CHECK(out == row.joined);
    }
}

TEST_CASE("numbers of JSON are replaced by their index") {
    std::string out;
    std::vector<std::string_view> numbers;
    CHECK(sse::index_json_numbers(R"({"a1":[-1.50,1e400 ],"2":"3\"4"})", out, numbers));
    CHECK(out == R"({"a1":[0,1 ],"2":"3\"4"})");
    CHECK(numbers == std::vector<std::string_view>{"-1.50", "1e400"});
    for (const auto* bad : {"01", "1.", "-", "[1-2]", "1x", "1e", ".5 1.x"}) {
        INFO(bad);
        CHECK_FALSE(sse::index_json_numbers(bad, out, numbers));
    }
}
