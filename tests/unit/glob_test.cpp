#include "base/glob.hpp"

#include "unit/catch2.hpp"

TEST_CASE("globs") {
    struct Row {
        const char *pattern, *text;
        bool matches;
    };
    const Row rows[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "A", false},
        {"a", "ab", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abcd", false},
        {"?", "a", true},
        {"?", "", false},
        {"a?c", "abc", true},
        {"*.*", "a.b", true},
        {"*a*b", "xaxab", true},
        {"", "", true},
        {"", "a", false},
        {"**", "x", true},
        {"a*b*c", "a1b2b3c", true},
        {"?", "\u00e9", true},
        {"a?", "a\u4f60", true},
        {"??", "\u00e9", false},
        {"*?", "\u00e9", true},
        {"*??", "\u00e9", false},
        // sets
        {"a[bc]", "ab", true},
        {"a[bc]", "ac", true},
        {"a[bc]", "ad", false},
        {"a[bc]", "a[bc]", false},
        {"a[bc]", "a", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[!a-c]x", "bx", false},
        {"[^a]", "b", true},
        {"[]a]", "]", true},
        {"[!]a]", "]", false},
        {"[a-]", "-", true},
        {"[\\]]", "]", true},
        {"*[0-9]", "step-42", true},
        {"*[0-9].*", "a1b2.c", true},
        {"[\u00e0-\u00ff]", "\u00e9", true},
        {"[\u00e0-\u00ff]", "e", false},
        // literals
        {"a[", "a[", true},
        {"a[b", "a[b", true},
        {"[", "", false},
        {"\\*", "*", true},
        {"\\*", "x", false},
        {"\\[a]", "[a]", true},
        {"\\", "\\", true},
        {"/*", "/a/b", true},
    };
    for (const auto& row : rows) {
        INFO(row.pattern << " " << row.text);
        CHECK(sse::matches_glob(row.pattern, row.text) == row.matches);
    }
    CHECK_FALSE(sse::matches_glob("*a*a*a*a*a*b", std::string(20'000, 'a'))); // and soon
}

TEST_CASE("a list of globs selects names") {
    const auto selects = [](std::vector<std::string> globs, const char* name) {
        return sse::GlobList(globs).selects(name);
    };
    CHECK(selects({}, "a"));
    CHECK(selects({"a", "b"}, "b"));
    CHECK_FALSE(selects({"a", "b"}, "c"));
    CHECK(selects({"!a"}, "c"));
    CHECK_FALSE(selects({"!a"}, "a"));
    CHECK_FALSE(selects({"x.*", "!x.y"}, "x.y"));
    CHECK(selects({"!x.y", "x.*"}, "x.z"));
    CHECK(selects({"\\!a"}, "!a"));
}
