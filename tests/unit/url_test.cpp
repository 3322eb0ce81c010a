#include "http/url.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"

using sse::Url;

TEST_CASE("Url reads what people type") {
    struct Row {
        std::string typed, text, endpoint;
    };
    const Row rows[] = {
        {"http://example.org/x", "http://example.org/x", "example.org:80"},
        {"HTTPS://Example.ORG", "https://example.org/", "example.org:443"},
        {"https://example.org:443/", "https://example.org/", "example.org:443"},
        {"http://example.org:443/", "http://example.org:443/", "example.org:443"},
        {"localhost:8080/x", "http://localhost:8080/x", "localhost:8080"},
        {"localhost", "http://localhost/", "localhost:80"},
        {":8080", "http://localhost:8080/", "localhost:8080"},
        {":8080/a?b", "http://localhost:8080/a?b", "localhost:8080"},
        {"https://:8443", "https://localhost:8443/", "localhost:8443"},
        {"http://h:/x", "http://h/x", "h:80"},
        {"http://h:0/", "http://h:0/", "h:0"},
        {"http://h:65535/", "http://h:65535/", "h:65535"},
        {"http://h?q=1", "http://h/?q=1", "h:80"},
        {"http://h/a#frag", "http://h/a", "h:80"},
        {"http://h#frag", "http://h/", "h:80"},
        {"http://h/?a#b?c", "http://h/?a", "h:80"},
        {"http://[::1]:8080/x", "http://[::1]:8080/x", "[::1]:8080"},
        {"[::1]", "http://[::1]/", "[::1]:80"},
        {"http://[fe80::1%25eth0]/", "http://[fe80::1]/", "[fe80::1]:80"},
        {"http://u:p@h/", "http://h/", "h:80"},
        {"http://h/a/./b/../c/..", "http://h/a/", "h:80"},
        {"http://h/../../x", "http://h/x", "h:80"},
        {"http://h/\xC3\xA9?\xC3\xA9", "http://h/%C3%A9?%C3%A9", "h:80"},
        {"http://h/a%20b%2f", "http://h/a%20b%2f", "h:80"},
        {"127.0.0.1:99/x://y", "http://127.0.0.1:99/x://y", "127.0.0.1:99"},
    };
    for (const auto& row : rows) {
        INFO(row.typed);
        const auto url = Url::parse(row.typed);
        CHECK(url.text() == row.text);
        CHECK(url.endpoint() == row.endpoint);
    }
}

TEST_CASE("Url splits off user info and decodes it") {
    const auto url = Url::parse("http://me%40home:p%3Aw:x@h/");
    CHECK(url.has_user);
    CHECK(url.user == "me@home");
    CHECK(url.password == "p:w:x");
    CHECK(Url::parse("http://a@b@h/").user == "a@b");
    CHECK(Url::parse("http://me@h/").password.empty());
    CHECK_FALSE(Url::parse("http://h/@").has_user);
    CHECK(Url::parse("http://[fe80::1%eth0]/").host == "fe80::1%eth0");
}

TEST_CASE("Url refuses what it cannot follow, and says why") {
    struct Row {
        std::string typed, why;
    };
    const Row rows[] = {
        {"", "it is empty"},
        {"http://", "it has no host"},
        {"http:///x", "it has no host"},
        {"/x", "it has no host"},
        {"http://u@/x", "it has no host"},
        {"ftp://h/", "its scheme is ftp, and only http and https can be followed"},
        {"file:///etc/passwd", "its scheme is file, and only http and https can be followed"},
        {"http://h:65536/", "its port is above 65535"},
        {"http://h:99999999999/", "its port is above 65535"},
        {"http://h:-1/", "its port is not a number"},
        {"http://h:8o/", "its port is not a number"},
        {"javascript:alert", "its port is not a number"},
        {"http://h/a b", "it contains a space"},
        {"http://h/\r\nX: y", "it contains a control character"},
        {"http://h/\x7F", "it contains a control character"},
        {std::string("http://h/\0", 10), "it contains a control character"},
        {"http://b\xC3\xBC"
         "cher.example/",
         "its host is not ASCII; give the name's xn-- form"},
        {"http://a,b/", "its host contains an invalid character"},
        {"http://a%41/", "its host contains an invalid character"},
        {"http://a\\b/", "its host contains an invalid character"},
        {"http://[::1/", "it has a [ without a ]"},
        {"http://[::g]/", "its address in [] is not an IPv6 address"},
        {"http://[::1]x/", "unexpected text between ] and the port"},
        {"::1", "it has no host"},
    };
    for (const auto& row : rows) {
        INFO(row.typed);
        CHECK_THROWS_WITH(Url::parse(row.typed),
                          ContainsSubstring(" is not a URL of a stream: " + row.why));
    }
    CHECK_THROWS_WITH(
        Url::parse("http://h/\x1b[2J"),
        "\"http://h/\\x1b[2J\" is not a URL of a stream: it contains a control character");
}

TEST_CASE("Url resolves a Location against the URL that sent it") {
    const auto base = Url::parse("http://u:p@h:81/a/b?q=1");
    struct Row {
        std::string location, text;
    };
    const Row rows[] = {
        {"http://other/x", "http://other/x"},
        {"https://h:81/x", "https://h:81/x"},
        {"HTTPS://other", "https://other/"},
        {"//other/x", "http://other/x"},
        {"//u:p@other/x", "http://other/x"},
        {"/x?y", "http://h:81/x?y"},
        {"c", "http://h:81/a/c"},
        {"./c", "http://h:81/a/c"},
        {"../c", "http://h:81/c"},
        {"../../../c", "http://h:81/c"},
        {"?z", "http://h:81/a/b?z"},
        {"#f", "http://h:81/a/b?q=1"},
        {"/a b", "http://h:81/a%20b"},
        {"c#f", "http://h:81/a/c"},
        {"c/d:e", "http://h:81/a/c/d:e"},
    };
    for (const auto& row : rows) {
        INFO(row.location);
        const auto url = base.resolve(row.location);
        CHECK(url.text() == row.text);
        CHECK_FALSE(url.has_user);
    }
    for (const char* bad : {"", "javascript:alert(1)", "file:///etc/passwd",
                            "data:text/event-stream,data:x", "http:", "http:x", "http://", "//",
                            "http://h:99999999999/", "/a\r\nb", "http://b\xC3\xBC/"}) {
        INFO(bad);
        CHECK_THROWS_AS(base.resolve(bad), sse::Error);
    }
    CHECK_THROWS_WITH(base.resolve("file:///etc/passwd"),
                      StartsWith("http://h:81/a/b?q=1 redirects to "));
}

TEST_CASE("an origin is scheme, host and port") {
    const auto base = Url::parse("http://h/a");
    CHECK(same_origin(base, Url::parse("http://u@H:80/b")));
    CHECK_FALSE(same_origin(base, Url::parse("https://h:80/a")));
    CHECK_FALSE(same_origin(base, Url::parse("http://h:81/a")));
    CHECK_FALSE(same_origin(base, Url::parse("http://h.h/a")));
}
