#include "client/cookies.hpp"

#include "unit/catch2.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using sse::Url;

const sse::CookieJar::Time now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 28)};

/// The Cookie field for `to` after `from` set these cookies.
std::string sent(const char* from, const std::vector<std::string>& set, const char* to,
                 const char* given = "", std::chrono::seconds later = 0s) {
    sse::CookieJar jar;
    for (const auto& text : set) jar.set(Url::parse(from), text, now);
    return jar.header(Url::parse(to), given, now + later);
}

} // namespace

TEST_CASE("a cookie goes back to the host that set it, and to no other") {
    struct Row {
        const char *from, *set, *to, *sent;
    };
    const Row rows[] = {
        {"http://h/", "a=1", "http://h/x", "a=1"},
        {"http://h/", "a=1", "http://h:81/", "a=1"}, // ports are not told apart: RFC 6265, 8.5
        {"http://h/", "a=1", "http://other/", ""},
        {"http://h/", "a=1", "http://sub.h/", ""},
        {"http://a.h/", "a=1; Domain=h", "http://a.h/", "a=1"},
        {"http://a.h/", "a=1; Domain=.h", "http://a.h/", "a=1"},
        {"http://a.h/", "a=1; Domain=h", "http://b.h/", ""},
        {"http://h/", "a=1; Domain=other", "http://h/", ""},
        {"http://h/", "a=1; Domain=other", "http://other/", ""},
        {"http://ah/", "a=1; Domain=h", "http://ah/", ""},
        {"http://h/a/b", "a=1", "http://h/a/", "a=1"},
        {"http://h/a/b", "a=1", "http://h/a", "a=1"},
        {"http://h/a/b", "a=1", "http://h/ab", ""},
        {"http://h/a/b?/c", "a=1", "http://h/a/z", "a=1"},
        {"http://h/a/b", "a=1", "http://h/", ""},
        {"http://h/a/b", "a=1; Path=/", "http://h/", "a=1"},
        {"http://h/a/b", "a=1; Path=x", "http://h/", ""},
        {"https://h/", "a=1; Secure", "https://h/", "a=1"},
        {"https://h/", "a=1; Secure", "http://h/", ""},
        {"http://h/", "a=1; Secure", "https://h/", ""},
        {"https://h/", "__Host-a=1; Secure; Path=/", "https://h/", "__Host-a=1"},
        {"https://h/", "__Host-a=1; Secure; Path=/; Domain=h", "https://h/", ""},
        {"https://h/", "__Secure-a=1", "https://h/", ""},
        {"http://h/", " a = b c ; HttpOnly; SameSite=None", "http://h/", "a=b c"},
        {"http://h/", "a=b=c", "http://h/", "a=b=c"},
        {"http://h/", "a=", "http://h/", "a="},
        {"http://h/", "=b", "http://h/", ""},
        {"http://h/", "b", "http://h/", ""},
        {"http://h/", "a=1\x01", "http://h/", ""},
        {"http://h/", "", "http://h/", ""},
    };
    for (const auto& row : rows) {
        INFO(row.from << " sets " << row.set << ", for " << row.to);
        CHECK(sent(row.from, {row.set}, row.to) == row.sent);
    }
}

TEST_CASE("cookies are replaced, deleted and expire") {
    const char* h = "http://h/";
    CHECK(sent(h, {"a=1", "b=2", "a=3"}, h) == "a=3; b=2");
    CHECK(sent(h, {"a=1", "a=; Max-Age=0"}, h) == "");
    CHECK(sent(h, {"a=1", "a=; Max-Age=-5"}, h) == "");
    CHECK(sent(h, {"a=1", "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, h) == "");
    CHECK(sent(h, {"a=1; Max-Age=10"}, h, "", 9s) == "a=1");
    CHECK(sent(h, {"a=1; Max-Age=10"}, h, "", 10s) == "");
    CHECK(sent(h, {"a=1; Max-Age=99999999999999999999"}, h, "", 3600s) == "a=1");
    CHECK(sent(h, {"a=1; Max-Age=x"}, h, "", 3600s) == "a=1");
    CHECK(sent(h, {"a=1; Expires=Sat, 28 Nov 2026 00:01:00 GMT"}, h, "", 59s) == "a=1");
    CHECK(sent(h, {"a=1; Expires=Sat, 28 Nov 2026 00:01:00 GMT"}, h, "", 60s) == "");
    CHECK(sent(h, {"a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, h) == "a=1");
    CHECK(sent(h, {"a=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT"}, h) == "a=1");
    CHECK(sent("http://h/a/b", {"a=1; Path=/", "b=2; Path=/a"}, "http://h/a/b") == "b=2; a=1");
}

TEST_CASE("the user's cookies are sent, too, unless the server has replaced them") {
    const char* h = "http://h/";
    CHECK(sent(h, {}, h, "x=1; y=2") == "x=1; y=2");
    CHECK(sent(h, {"y=3", "z=4"}, h, "x=1; y=2") == "x=1; y=3; z=4");
    CHECK(sent(h, {"y=3"}, "http://other/", "x=1; y=2") == "x=1; y=2");
}

TEST_CASE("a cookie jar is bounded, and can be switched off") {
    sse::CookieJar jar({true, 2, 10});
    const auto url = Url::parse("http://h/");
    for (const char* text : {"a=1", "b=2", "c=3", "d=1234567890"}) jar.set(url, text, now);
    CHECK(jar.header(url, "", now) == "b=2; c=3");
    sse::CookieJar off({false});
    off.set(url, "a=1", now);
    CHECK(off.header(url, "x=1", now) == "x=1");
}

TEST_CASE("dates of cookies are read leniently (RFC 6265, 5.1.1)") {
    const auto expected =
        std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;
    for (const char* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
          "Sun Nov  6 08:49:37 1994", "06 Nov 1994 8:49:37", "08:49:37 6 november 1994"}) {
        INFO(text);
        CHECK(sse::parse_cookie_date(text) == expected);
    }
    for (const char* text : {"", "x", "06 Nov 1994", "31 Feb 2020 00:00:00", "06 Nov 1994 25:00:00",
                             "06 Nov 1500 00:00:00", "0"}) {
        INFO(text);
        CHECK(!sse::parse_cookie_date(text));
    }
}
