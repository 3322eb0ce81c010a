#include "cmd/tail/event_filter.hpp"

#include "base/error.hpp"
#include "cmd/cli/json_values.hpp"
#include "unit/catch2.hpp"

TEST_CASE("EventFilter wants types, not types, and what its expressions find") {
    const auto wants = [](cmd::SelectOptions options, const char* type, std::string_view data) {
        return cmd::EventFilter(options).wants({type, data, {}});
    };
    CHECK(wants({}, "a", ""));
    CHECK(wants({{"a", "b"}, {}, false}, "b", ""));
    CHECK_FALSE(wants({{"a", "b"}, {}, false}, "c", ""));
    CHECK(wants({{"!a"}, {}, false}, "c", ""));
    CHECK_FALSE(wants({{"!a"}, {}, false}, "a", ""));
    CHECK_FALSE(wants({{"x.*", "!x.y"}, {}, false}, "x.y", ""));
    CHECK(wants({{"x.*", "!x.y"}, {}, false}, "x.z", ""));
    CHECK(wants({{}, {"err|warn"}, false}, "a", "a warning"));
    CHECK_FALSE(wants({{}, {"err|warn"}, false}, "a", "fine"));
    CHECK(wants({{}, {"err"}, true}, "a", "fine"));
    CHECK(wants({{}, {"^b$"}, false}, "a",
                std::string_view("xbx").substr(1, 1))); // a view with more behind it
    CHECK(wants({{}, {"b"}, false}, "a", std::string_view("a\0b", 3)));
    CHECK(wants({{}, {"^caf.$"}, false}, "a", "caf\u00e9"));
    CHECK(wants({{}, {"^caf[\u00e8\u00e9]$"}, false}, "a", "caf\u00e9"));
    CHECK_FALSE(wants({{}, {"^caf.$"}, false}, "a", "cafes"));
    CHECK_THROWS_WITH(cmd::EventFilter({{}, {"("}, false}),
                      StartsWith("--grep \"(\" is not a regular expression"));
}

TEST_CASE("pointers find values as they are written") {
    cmd::JsonValues values;
    const std::string json =
        R"({"a":{"b":[1.10,"x\"y\n",null,{"c": 1}]},"m~n":1,"s/t":2,"":3,"big":12345678901234567890,"e":1e400})";
    struct Row {
        const char *pointer, *text;
    };
    for (const auto& [pointer, text] :
         {Row{"/a/b/0", "1.10"}, Row{"/a/b/1", "x\"y\n"}, Row{"/a/b/2", "null"},
          Row{"/a/b/3", "{\"c\":1}"}, Row{"/m~0n", "1"}, Row{"/s~1t", "2"}, Row{"/", "3"},
          Row{"/big", "12345678901234567890"}, Row{"/e", "1e400"}}) {
        INFO(pointer);
        CHECK(values.find(json, pointer) == std::string(text));
    }
    for (const char* missing : {"/x", "/a/b/9", "/a/b/-", "/a/b/c", "/a/b/0/x"}) {
        INFO(missing);
        CHECK_FALSE(values.find(json, missing));
    }
    CHECK(values.find("\"x\"", "") == std::string("x"));
    CHECK(values.find(" [1, 2]\n", "") == std::string("[1,2]"));
    for (const char* no_json : {"", "[DONE]", "hello", "{", "{\"a\"", "\"\\ud800\""}) {
        INFO(no_json);
        CHECK_FALSE(values.find(no_json, "/a"));
    }
    CHECK_NOTHROW(cmd::check_pointer(""));
    CHECK_NOTHROW(cmd::check_pointer("/a~0b~1"));
    for (const char* bad : {"a", "a/b", "/a~", "/a~2"})
        CHECK_THROWS_AS(cmd::check_pointer(bad), sse::Error);
}
