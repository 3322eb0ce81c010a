#include "cmd/term/json_view.hpp"

#include "unit/catch2.hpp"

namespace {

std::string view(std::string_view text, std::size_t width = 80) {
    std::string out;
    return cmd::append_json_view(text, 2, width, {}, out) ? out : "not JSON";
}

std::string repeated(std::string_view text, std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += text;
    return out;
}

} // namespace

TEST_CASE("JSON is laid out on one line if it fits, else one value a line") {
    struct Row {
        std::string text, shown;
        std::size_t width = 80;
    };
    const Row rows[] = {
        {R"({"a":1,"b":[true,null]})", R"({"a": 1, "b": [true, null]})"},
        {R"({"a":1})", "{\n    \"a\": 1\n  }", 5},
        {R"([1,[2,3]])", "[\n    1,\n    [2, 3]\n  ]", 12},
        {"[]", "[]", 1},
        {"{}", "{}", 1},
        {" [1.10, 1e400 ,12345678901234567890] ", "[1.10, 1e400, 12345678901234567890]"},
        {R"(["\u65e5\u672c"])", "[\"\u65e5\u672c\"]"},
        {R"(["\u003c\u0041\ud83d\ude00"])", "[\"<A\U0001F600\"]"},
        {R"(["\u0022\u005c\u000a\u001b\u009b\u202e\ud83d\u00"])", "not JSON"},
        {R"(["\u0022\u005c\u000a\u001b\u009b\u202e\ud83d"])",
         R"(["\u0022\u005c\u000a\u001b\u009b\u202e\ud83d"])"},
        {R"(["\\u0041","\"\u0042"])", R"(["\\u0041", "\"B"])"},
        {R"([\u0031])", "not JSON"},
        {R"({"\u006b":"\uD83D\u0041"})", R"({"k": "\uD83DA"})"},
        {"\"text\"", "not JSON"},
        {"1", "not JSON"},
        {"", "not JSON"},
        {"[1,]", "not JSON"},
        {"[01]", "not JSON"},
        {"{\"a\" 1}", "not JSON"},
        {"[1] 2", "not JSON"},
        {"[\"a\nb\"]", "not JSON"},
        {repeated("[", 200) + repeated("]", 200), repeated("[", 200) + repeated("]", 200), 1000},
        {repeated("[", 201) + repeated("]", 201), "not JSON"},
    };
    for (const auto& row : rows) {
        INFO(row.text << " in " << row.width);
        CHECK(view(row.text, row.width) == row.shown);
    }
}

TEST_CASE("the layout of deep JSON grows with its text only") {
    const auto deep = [](std::size_t depth, std::string_view inner) {
        return repeated("[", depth) + std::string(inner) + repeated("]", depth);
    };
    for (const std::size_t depth : {1U, 15U, 16U, 17U, 100U, 197U}) {
        for (const auto& inner : {repeated("1,", 5000) + "1", repeated("[1,[2]],", 3000) + "1",
                                  repeated("{\"\":1},", 3000) + "1"}) {
            const auto text = deep(depth, inner);
            std::string out;
            REQUIRE(cmd::append_json_view(text, 2, 80, cmd::colours, out));
            INFO(depth << ": " << text.size() << " bytes as " << out.size());
            CHECK(out.size() <= 32 * text.size());
        }
    }
}
