#include "base/base64.hpp"

#include "unit/catch2.hpp"

TEST_CASE("base64 goes out and comes back (RFC 4648, 10)") {
    struct Row {
        std::string bytes, text;
    };
    const Row rows[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {std::string("\xff\xfe\0\x01", 4), "//4AAQ=="},
    };
    for (const auto& row : rows) {
        std::string text, bytes = "before ";
        sse::append_base64(row.bytes, text);
        CHECK(text == row.text);
        CHECK(sse::append_from_base64(row.text, bytes));
        CHECK(bytes == "before " + row.bytes);
    }
}

TEST_CASE("what is not canonical base64 is refused") {
    for (const auto* text : {"Z", "Zg", "Zg=", "Zg=a", "=", "====", "Zm9v\n", "Zm9 ",
                             "Z===", "Zh==", "Zm9=", "Zm=v", "Zg==Zg==", "Zm9\xc3"}) {
        INFO(text);
        std::string out = "kept";
        CHECK_FALSE(sse::append_from_base64(text, out));
        CHECK(out == "kept");
    }
}
