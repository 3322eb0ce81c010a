#include "base/percent.hpp"
#include "server/guard.hpp"
#include "unit/catch2.hpp"

using namespace std::string_literals;

namespace {

int status(const std::string& fields, bool loopback, const sse::GuardOptions& options = {},
           const char* peer = "127.0.0.1") {
    sse::Request request;
    request.head = sse::Head::parse("GET / HTTP/1.1\r\n" + fields + "\r\n");
    request.method = "GET";
    request.loopback = loopback && std::string(peer) != "unix";
    request.peer = peer;
    const auto refusal = sse::guard(request, options);
    return refusal ? refusal->status : 200;
}

} // namespace

TEST_CASE("A loopback listener answers to loopback names, and to pages of its own") {
    struct Row {
        const char* what;
        std::string fields;
        int status;
    };
    const Row rows[] = {
        {"localhost", "Host: localhost\r\n", 200},
        {"with a port", "Host: localhost:8080\r\n", 200},
        {"in capitals", "Host: LocalHost:8080\r\n", 200},
        {"a name below it", "Host: a.localhost:8080\r\n", 200},
        {"its address", "Host: 127.0.0.1:8080\r\n", 200},
        {"another of its addresses", "Host: 127.1.2.3\r\n", 200},
        {"in IPv6", "Host: [::1]:8080\r\n", 200},
        {"none, as HTTP/1.0 may", "", 200},
        {"a foreign name", "Host: evil.example\r\n", 403},
        {"a foreign name that begins well", "Host: localhost.evil.example\r\n", 403},
        {"and as an address", "Host: 127.0.0.1.evil.example\r\n", 403},
        {"or ends well", "Host: evillocalhost\r\n", 403},
        {"a foreign address", "Host: 192.168.0.1\r\n", 403},
        {"a foreign IPv6 address", "Host: [::2]:80\r\n", 403},
        {"too many numbers", "Host: 127.0.0.1.2\r\n", 403},
        {"user information", "Host: localhost:1@evil.example\r\n", 403},
        {"something behind the bracket", "Host: [::1].evil.example\r\n", 403},
        {"a port that is none", "Host: localhost:evil\r\n", 403},
        {"no end of the bracket", "Host: [::1\r\n", 403},
        {"a page of its own", "Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200},
        {"a page of another port", "Host: localhost:1\r\nOrigin: http://localhost:2\r\n", 403},
        {"a foreign page", "Host: localhost:1\r\nOrigin: http://evil.example\r\n", 403},
        {"a page with no origin", "Host: localhost:1\r\nOrigin: null\r\n", 403},
        {"an empty origin", "Host: localhost:1\r\nOrigin:\r\n", 403},
        {"two origins",
         "Host: a.localhost\r\nOrigin: http://a.localhost\r\nOrigin: http://evil.example\r\n", 403},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(status(row.fields, true) == row.status);
        CHECK(status(row.fields, true, {}, "unix") == 200); // no page reaches a unix socket
    }
    CHECK(status("Host: evil.example\r\n", false) == 200);
}

TEST_CASE("--allow-host names further hosts") {
    sse::GuardOptions options;
    options.allowed_hosts = {"dev.example", "other"};
    CHECK(status("Host: dev.example:8080\r\n", true, options) == 200);
    CHECK(status("Host: DEV.example\r\n", true, options) == 200);
    CHECK(status("Host: other\r\n", true, options) == 200);
    CHECK(status("Host: localhost\r\n", true, options) == 200);
    CHECK(status("Host: example\r\n", true, options) == 403);
    CHECK(status("Host: dev.example.evil\r\n", true, options) == 403);
}

TEST_CASE("percent_decoded decodes once, and what it can") {
    struct Row {
        std::string text, decoded;
    };
    const Row rows[] = {
        {"", ""},         {"abc", "abc"}, {"%41", "A"},       {"%e2%80%A6", "\xE2\x80\xA6"},
        {"%2541", "%41"}, {"%00", "\0"s}, {"%", "%"},         {"%4", "%4"},
        {"a%4", "a%4"},   {"%zz", "%zz"}, {"%4z", "%4z"},     {"%%41", "%A"},
        {"+", "+"},       {"%-1", "%-1"}, {"%0d%0a", "\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(sse::percent_decoded(row.text) == row.decoded);
    }
}

TEST_CASE("query_value finds the first value of a name") {
    struct Row {
        std::string query, value;
    };
    const Row rows[] = {
        {"", "-"},      {"a=1", "1"},  {"b=2&a=1", "1"}, {"a=1&a=2", "1"}, {"a", ""},
        {"a=", ""},     {"ab=1", "-"}, {"b=a=1", "-"},   {"%61=1", "1"},   {"a=b+c%2B", "b c+"},
        {"&&a=1", "1"}, {"a=1&", "1"}, {"a=b=c", "b=c"}, {"=1", "-"},      {"a=%0d%0a", "\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.query);
        CHECK(sse::query_value(row.query, "a").value_or("-") == row.value);
    }
}
