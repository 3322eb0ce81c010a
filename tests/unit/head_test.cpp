#include "http/head.hpp"
#include "unit/catch2.hpp"

#include <string_view>
#include <vector>

TEST_CASE("the members of a list are those of all its fields, without empty ones") {
    const auto head = sse::Head::parse("GET / HTTP/1.1\r\nTe: a, b;q=1\r\nOther: no\r\n"
                                       "TE: ,, C ,\r\nEmpty:\r\n\r\n");
    CHECK(head.members("te") == std::vector<std::string_view>{"a", "b;q=1", "C"});
    CHECK(head.members("empty").empty());
    CHECK(head.members("none").empty());
    CHECK(head.has_token("TE", "c"));
    CHECK(!head.has_token("TE", "b"));
    CHECK(!head.has_token("TE", ""));
}
