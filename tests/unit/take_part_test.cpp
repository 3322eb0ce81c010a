#include "base/take_part.hpp"
#include "unit/catch2.hpp"

#include <string>
#include <vector>

using Parts = std::vector<std::string>;

TEST_CASE("take_part takes what is before each end, and then the rest") {
    struct Row {
        std::string_view text;
        Parts parts;
    };
    const Row rows[] = {
        {"", {}},
        {"a", {"a"}},
        {"a,b", {"a", "b"}},
        {"a,b,", {"a", "b"}},
        {",,a", {"", "", "a"}},
        {" a , b ", {" a ", " b "}},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        Parts parts;
        for (auto rest = row.text; !rest.empty();) parts.emplace_back(sse::take_part(rest, ','));
        CHECK(parts == row.parts);
    }
}

TEST_CASE("take_line takes LF and CRLF away, and no other CR") {
    struct Row {
        std::string_view text;
        Parts lines;
    };
    const Row rows[] = {
        {"a\nb\r\nc", {"a", "b", "c"}},
        {"\n\r\n\r", {"", "", ""}},
        {"a\rb\r\r\n", {"a\rb\r"}},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        Parts lines;
        for (auto rest = row.text; !rest.empty();) lines.emplace_back(sse::take_line(rest));
        CHECK(lines == row.lines);
    }
}
