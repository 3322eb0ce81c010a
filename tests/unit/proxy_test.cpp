#include "base/error.hpp"
#include "client/proxy.hpp"
#include "unit/catch2.hpp"

#include <string>

TEST_CASE("goes_without reads NO_PROXY as curl does") {
    struct Row {
        const char *list, *host;
        bool without;
    };
    const Row rows[] = {
        {"", "example.org", false},
        {"*", "example.org", true},
        {"*,a", "example.org", false}, // it stands alone
        {"example.org", "example.org", true},
        {"EXAMPLE.org", "example.org", true},
        {"example.org", "a.b.example.org", true},
        {".example.org", "example.org", true},
        {".example.org", "a.example.org", true},
        {"example.org", "badexample.org", false},
        {"example.org.", "example.org", true},
        {"example.org", "example.org.", true},
        {"a.example.org", "example.org", false},
        {"a, b ,example.org", "example.org", true},
        {"a b example.org", "example.org", true},
        {",,", "example.org", false},
        {".", "example.org", false},
        {"10.0.0.1", "10.0.0.1", true},
        {"10.0.0.1", "10.0.0.11", false},
        {"0.0.1", "10.0.0.1", false}, // an address has no suffixes
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.0.0.0/9", "10.128.0.1", false},
        {"10.0.0.0/0", "99.0.0.1", true},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"10.0.0.0/x", "10.0.0.0", false},
        {"::1", "::1", true},
        {"[::1]", "::1", true},
        {"0:0::1", "::1", true},
        {"fe80::/10", "fe80::2", true},
        {"fe80::/10", "ff80::2", false},
        {"::/0", "10.0.0.1", false},
        {"10.0.0.1", "ten.10.0.0.1.example", false},
    };
    for (const auto& row : rows) {
        INFO(row.list << " for " << row.host);
        CHECK(sse::goes_without(row.list, row.host) == row.without);
    }
}

TEST_CASE("parse_proxy reads what people write, and 1080 is the port of none") {
    struct Row {
        const char *text, *endpoint, *user;
    };
    const Row rows[] = {
        {"h", "h:1080", ""},           {"h:3128", "h:3128", ""},
        {"http://h", "h:1080", ""},    {"http://h/", "h:1080", ""},
        {"http://h:80/x", "h:80", ""}, {"HTTP://u:p%3A@h", "h:1080", "u:p:"},
        {"u@h:1", "h:1", "u:"},        {"[::1]", "[::1]:1080", ""},
        {"[::1]:2", "[::1]:2", ""},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        const auto proxy = sse::parse_proxy(row.text);
        CHECK(proxy.endpoint() == row.endpoint);
        CHECK((proxy.has_user ? proxy.user + ":" + proxy.password : "") == row.user);
    }
    for (const char* text : {"", "socks4://h", "https://h", "h:x", "u:p@", "a b", "h\n"})
        CHECK_THROWS_AS(sse::parse_proxy(text), sse::Error);
}
