#include "base/error.hpp"
#include "client/proxy.hpp"
#include "unit/catch2.hpp"

#include <cstdint>
#include <string>
#include <utility>

TEST_CASE("bypasses_proxy reads NO_PROXY as curl does, and ports") {
    struct Row {
        const char *list, *host;
        bool bypasses;
        std::uint16_t port = 80;
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
        {"*.example.org", "a.example.org", true},
        {"*.example.org", "a.b.EXAMPLE.org", true},
        {"*.example.org", "example.org", false},
        {"*.example.org", "badexample.org", false},
        {"example.org:80", "example.org", true},
        {"example.org:80", "a.example.org", true},
        {"example.org:8080", "example.org", false},
        {"example.org:8080", "example.org", true, 8080},
        {"*.example.org:8080", "a.example.org", true, 8080},
        {"*.example.org:8080", "a.example.org", false},
        {"example.org:", "example.org", false},
        {"example.org:x", "example.org", false},
        {"example.org:99999", "example.org", false},
        {"10.0.0.1:8080", "10.0.0.1", true, 8080},
        {"10.0.0.1:8080", "10.0.0.1", false},
        {"[::1]:8080", "::1", true, 8080},
        {"[::1]:8080", "::1", false},
        {"a, example.org:443", "example.org", true, 443},
    };
    for (const auto& row : rows) {
        INFO(row.list << " for " << row.host);
        CHECK(sse::bypasses_proxy(row.list, row.host, row.port) == row.bypasses);
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
    const std::pair<const char*, const char*> refused[] = {
        {"socks5://h:1", "\"socks5://h:1\" is not a proxy: its scheme is socks5, and only http "
                         "proxies can be used"},
        {"https://h:1", "its scheme is https, and only http proxies"},
        {"http://me:secret@h:99999",
         "\"http://***@h:99999\" is not a proxy: its port is above 65535"},
        {"http://", "it has no host"},
        {"", "it has no host"},
        {"u:p@", "it has no host"},
        {"a b", "it contains a space"},
        {"h:x", "its port is not a number"},
        {"h\n", "it contains a control character"},
    };
    for (const auto& [text, why] : refused) {
        INFO(text);
        CHECK_THROWS_WITH(sse::parse_proxy(text), ContainsSubstring(why));
    }
}
