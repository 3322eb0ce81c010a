#include "base/json_select.hpp"

#include "base/error.hpp"
#include "recording/comparable_body.hpp"
#include "unit/catch2.hpp"

#include <fmt/format.h>

namespace {

sse::JsonPointers pointers(const std::vector<std::string>& texts) {
    sse::JsonPointers all;
    for (const auto& text : texts) all.add(text);
    return all;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string out;
    while (times-- > 0) out.append(text);
    return out;
}

} // namespace

TEST_CASE("What is no JSON pointer is refused") {
    for (const char* text : {"", "a", "a/b", "/~", "/a~2", "/a/~x/b"}) {
        INFO(text);
        CHECK_THROWS_AS(pointers({text}), sse::Error);
    }
    CHECK_FALSE(pointers({"/", "/a~0~1b", "//"}).empty());
}

TEST_CASE("Values that pointers select are masked, and nothing else is changed") {
    struct Row {
        const char* json;
        std::vector<std::string> masked;
        const char* result; // "": not JSON
    };
    const Row rows[] = {
        {R"( {"a" : 1, "b":[ 2 ]} )", {"/a"}, R"( {"a" : "***", "b":[ 2 ]} )"},
        {R"({"a":{"b":{"c":1}},"b":1})", {"/a/b"}, R"({"a":{"b":"***"},"b":1})"},
        {R"({"a":{"b":1}})", {"/a", "/a/b"}, R"({"a":"***"})"},
        {R"({"a":[1,[2],{"b":3}]})", {"/a/*"}, R"({"a":["***","***","***"]})"},
        {R"([{"k":1},{"k":2},{}])", {"/*/k"}, R"([{"k":"***"},{"k":"***"},{}])"},
        {R"([0,1,2])", {"/1"}, R"([0,"***",2])"},
        {R"([0])", {"/1", "/-1", "/00"}, R"([0])"},
        {R"({"*":1,"a":2})", {"/*"}, R"({"*":"***","a":2})"}, // in an object, a name
        {R"({"a/b":1,"~":2,"":3})", {"/a~1b", "/~0", "/"}, R"({"a/b":"***","~":"***","":"***"})"},
        {R"({"\u0061\"":1})", {"/a\""}, R"({"\u0061\"":"***"})"}, // by the decoded name
        {R"({"a":1,"a":2})", {"/a"}, R"({"a":"***","a":"***"})"},
        {R"({"a":"x\"}\\","b":1})", {"/b"}, R"({"a":"x\"}\\","b":"***"})"},
        {R"({"a":true,"b":null,"c":-1.5e9})",
         {"/a", "/b", "/c"},
         R"({"a":"***","b":"***","c":"***"})"},
        {"1", {"/a"}, "1"},
        {"{}", {"/a"}, "{}"},
        {"{\"a\":1", {"/a"}, ""},
        {"{\"a\":01}", {"/a"}, ""},
        {"", {"/a"}, ""},
    };
    for (const auto& row : rows) {
        INFO(row.json);
        CHECK(sse::mask_json(row.json, pointers(row.masked)).value_or("") == row.result);
    }
    std::size_t selected = 0;
    CHECK(sse::mask_json(R"([{"k":1},{"k":2}])", pointers({"/*/k"}), &selected));
    CHECK(selected == 2);
}

TEST_CASE("Where the bodies of two requests differ") {
    struct Row {
        std::string recorded, asked;
        std::size_t distance;
        std::string difference;
        std::vector<std::string> ignored = {};
    };
    const Row rows[] = {
        {R"({"a":1,"b":"x"})", R"({ "b":"\u0078", "a":1.0 })", 0, ""},
        {R"({"a":1})", R"({"a":2})", 1, "at /a: recorded 1, requested 2"},
        {R"({"a":1,"b":2})", R"({"a":2,"b":3})", 2, "at /a: recorded 1, requested 2"},
        {R"({"b":1})", R"({"a":1,"b":1})", 1, "at /a: recorded nothing, requested 1"},
        {R"({"a":{"x":[1]},"b":1})", R"({"b":1})", 1,
         "at /a: recorded {\"x\":[1]}, requested nothing"},
        {R"({"a":{"x":1}})", R"({"a":[1]})", 1, R"(at /a: recorded {"x":1}, requested [1])"},
        {"[1,2,3]", "[1,2]", 1, "at /2: recorded 3, requested nothing"},
        {"[1]", "[1,[2],3]", 2, "at /1: recorded nothing, requested [2]"},
        {"[[],{}]", "[{},[]]", 2, "at /0: recorded [], requested {}"},
        {"{}", "[]", 1, "at the root: recorded {}, requested []"},
        {R"({"a/~":[{"k":"]}"}]})", R"({"a/~":[{"k":"}]"}]})", 1,
         R"(at /a~1~0/0/k: recorded "]}", requested "}]")"},
        {R"({"a":1,"a":2})", R"({"a":1})", 1, "at /a: recorded 2, requested nothing"},
        {"text", "text", 0, ""},
        {"text", "", 1, "recorded text, requested no body"},
        {"", "{}", 1, "recorded no body, requested {}"},
        {"1", "2", 1, "recorded 1, requested 2"},
        // masked when it was recorded
        {R"({"a":"***","b":1})", R"({"a":{"x":[2]},"b":1})", 0, ""},
        {R"({"a":"***","b":1})", R"({"b":1})", 0, ""},
        {R"(["***",1])", R"([[2],1])", 0, ""},
        {R"({"a":"***x"})", R"({"a":"x"})", 1, R"(at /a: recorded "***x", requested "x")"},
        {R"({"a":1})", R"({"a":"***"})", 1, R"(at /a: recorded 1, requested "***")"},
        // ignored
        {R"({"a":1,"b":1})", R"({"a":[2],"b":1})", 0, "", {"/a"}},
        {R"({"a":1,"b":1})", R"({"b":1})", 0, "", {"/a"}},
        {R"({"b":1})", R"({"a":2,"b":1})", 0, "", {"/a"}},
        {R"({"m":[{"i":1,"t":2},{"i":3}]})", R"({"m":[{"t":2},{"i":4}]})", 0, "", {"/m/*/i"}},
        {R"({"m":[1,2]})", R"({"m":[3]})", 0, "", {"/m/*"}},
        // and what holds nothing else
        {R"({"m":{"i":1}})", R"({})", 0, "", {"/m/i"}},
        {R"({})", R"({"m":{"n":{"i":[1]}}})", 0, "", {"/m/n/i"}},
        {R"({"m":[1,2]})", R"({})", 0, "", {"/m/*"}},
        {R"({"m":{"i":1,"j":2}})", R"({})", 0, "", {"/m/j", "/m/i"}},
        {R"({"m":{"i":1,"j":2}})",
         R"({})",
         1,
         R"(at /m: recorded {"i":1,"j":2}, requested nothing)",
         {"/m/i"}},
        {R"({"m":{}})", R"({})", 1, "at /m: recorded {}, requested nothing", {"/m/i"}},
        {R"({"m":[{"i":1}]})",
         R"({"m":[]})",
         1,
         R"(at /m/0: recorded {"i":1}, requested nothing)",
         {"/m/*/i"}},
        {R"({"m":{"i":"***"}})", R"({})", 0, ""},
        {R"({})", R"({"m":{"i":"***"}})", 1, R"(at /m: recorded nothing, requested {"i":"***"})"},
        {R"({"a":1,"b":2})", R"({"a":2,"b":3})", 1, "at /b: recorded 2, requested 3", {"/a"}},
        // one boundary for all
        {"--one\r\n\r\nx\r\n--one--\r\n", "--other\r\n\r\nx\r\n--other--\r\n", 0, ""},
        {"--one\r\n\r\nx\r\n--one--\r\n", "--one\r\n\r\ny\r\n--one--\r\n", 1,
         "recorded --boundary\\x0d\\x0a\\x0d\\x0ax\\x0d\\x0a--boundary--\\x0d\\x0a, requested "
         "--boundary\\x0d\\x0a\\x0d\\x0ay\\x0d\\x0a--boundary--\\x0d\\x0a"},
    };
    for (const auto& row : rows) {
        INFO(row.recorded << " and " << row.asked);
        const sse::BodyMatch match(pointers(row.ignored));
        const auto recorded = sse::comparable_body(row.recorded);
        const auto asked = sse::comparable_body(row.asked);
        CHECK(match.equal(recorded, asked) == (row.distance == 0));
        CHECK(match.distance(recorded, asked) == row.distance);
        CHECK(match.difference(recorded, asked) == row.difference);
    }
}

TEST_CASE("Deep bodies are compared and masked within the depth of the parser, or as text") {
    const auto deep = [](std::size_t depth) {
        return repeated("[", depth) + "1" + repeated("]", depth);
    };
    const sse::BodyMatch match(pointers({"/x"}));
    const auto object = sse::comparable_body(R"({"x":1})");
    for (const auto& text :
         {deep(1'000'000), repeated("[", 1'000'000), repeated("{\"a\":", 300'000),
          "[" + repeated("\"", 999'999), deep(900)}) {
        const auto body = sse::comparable_body(text);
        CHECK_FALSE(match.equal(object, body));
        CHECK(match.distance(object, body) == 1);
        CHECK(match.distance(body, object) == 1);
        CHECK_FALSE(match.difference(body, object).empty());
        CHECK(match.equal(body, sse::comparable_body(text)));
    }
    CHECK(sse::comparable_body(deep(900)).is_json);
    CHECK_FALSE(sse::comparable_body(deep(1'000'000)).is_json);
    CHECK_FALSE(sse::mask_json(deep(1'000'000), pointers({"/x"})));
    CHECK(sse::mask_json(deep(900), pointers({"/0"})) == "[\"***\"]");
}
