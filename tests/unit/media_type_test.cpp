#include "http/media_type.hpp"

#include "unit/catch2.hpp"

TEST_CASE("a Content-Type has a type and may have a charset") {
    struct Row {
        std::string text, essence, charset;
    };
    const Row rows[] = {
        {"text/plain", "text/plain", "-"},
        {"", "", "-"},
        {"Text/HTML ;x=y", "text/html", "-"},
        {"text/plain; charset=utf-8", "text/plain", "utf-8"},
        {"text/plain;CHARSET=UTF-8", "text/plain", "UTF-8"},
        {"text/plain; format=flowed; charset=latin1; x", "text/plain", "latin1"},
        {"text/plain; charset=\"iso-8859-1\"", "text/plain", "iso-8859-1"},
        {"text/plain; x=\"; charset=a\"; charset=b", "text/plain", "b"},
        {"text/plain; charset=\"a\\\"b\" ; x=1", "text/plain", "a\"b"},
        {"text/plain; charset=\"open", "text/plain", "open"},
        {"text/plain; charset=\"open\\", "text/plain", "open"},
        {"text/plain; charset=a; charset=b", "text/plain", "a"},
        {"text/plain; charset", "text/plain", ""},
        {"text/plain; charset=", "text/plain", ""},
        {"text/plain;;; charset = utf-8 ;", "text/plain", "utf-8"},
        {"; charset=a", "", "a"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(sse::essence(row.text) == row.essence);
        CHECK(sse::charset(row.text).value_or("-") == row.charset);
    }
}
