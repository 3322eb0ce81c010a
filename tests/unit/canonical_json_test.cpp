#include "base/canonical_json.hpp"

#include "base/random.hpp"
#include "unit/catch2.hpp"

TEST_CASE("JSON texts of one value become one text") {
    struct Row {
        const char *text, *canonical;
    };
    const Row rows[] = {
        {R"({"b":1,"a":2})", R"({"a":2,"b":1})"},
        {R"( { "b" : 1 , "a" : 2 } )", R"({"a":2,"b":1})"},
        {R"({"a":{"d":[],"c":{}}})", R"({"a":{"c":{},"d":[]}})"},
        {"[3,1,2]", "[3,1,2]"},
        {"[1.0,1e0,1]", "[1,1,1]"},
        {"[-0.5,true,false,null]", "[-0.5,true,false,null]"},
        {R"("\u00e9\/")", "\"\u00e9/\""},
        {"\"\"", "\"\""},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(sse::canonical_json(row.text) == row.canonical);
    }
}

TEST_CASE("what is not JSON has no canonical text") {
    for (const auto* text : {"", "x", "{", "[1,]", "{\"a\":1} x", "\"\xff\"", "'a'"}) {
        INFO(text);
        CHECK_FALSE(sse::canonical_json(text));
    }
}

TEST_CASE("dice of one seed roll the same everywhere (splitmix64)") {
    sse::SeededRandom random(0);
    CHECK(random.next() == 0xE220A8397B1DCDAFu);
    CHECK(random.next() == 0x6E789E6AA1B965F4u);
    CHECK(sse::SeededRandom(1).below(0) == 0);
    CHECK(sse::SeededRandom(1).chance(1));
    CHECK_FALSE(sse::SeededRandom(1).chance(0));
}
