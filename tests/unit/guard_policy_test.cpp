#include "base/error.hpp"
#include "base/percent.hpp"
#include "server/guard.hpp"
#include "unit/catch2.hpp"

#include <string>
#include <string_view>
#include <vector>

using namespace sse;

namespace {

/// A request as a session makes it: a first line and fields, and what the listener knows.
Request request(const std::string& first, const std::string& fields, bool loopback = true,
                const std::string& peer = "127.0.0.1", bool secure = false) {
    Request r;
    r.head = Head::parse(first + " HTTP/1.1\r\n" + fields + "\r\n");
    r.method = first.substr(0, first.find(' '));
    r.target = first.substr(first.find(' ') + 1);
    const auto mark = r.target.find('?');
    if (mark != std::string::npos) r.query = r.target.substr(mark + 1);
    r.path = percent_decoded(r.target.substr(0, mark));
    r.loopback = loopback && peer != "unix"; // no page reaches a unix socket
    r.peer = peer;
    r.secure = secure;
    return r;
}

int status(const Request& r, const GuardOptions& options) {
    const auto response = guard(r, options);
    return response ? response->status : 200;
}

std::string header(const Response& response, std::string_view name) {
    for (const auto& [n, value] : response.headers) {
        if (n == name) return value;
    }
    return "";
}

} // namespace

TEST_CASE("a loopback listener answers to loopback names, and to those that are allowed") {
    GuardOptions options;
    options.allowed_hosts = {"app.example", "one.example:8080", "[2001:db8::1]"};
    struct Row {
        const char* host;
        int status;
    };
    const Row rows[] = {
        {"localhost", 200},
        {"localhost:8080", 200},
        {"LocalHost:1", 200},
        {"localhost.", 200},
        {"localhost.:8080", 200},
        {"a.localhost:80", 200},
        {"127.0.0.1", 200},
        {"127.8.9.10:99", 200},
        {"[::1]", 200},
        {"[::1]:8080", 200},
        {"[0:0:0:0:0:0:0:1]:8080", 200},
        {"[::ffff:127.0.0.1]:8080", 200},
        {"", 200}, // no browser sends that
        {"app.example", 200},
        {"APP.example.:443", 200},
        {"one.example:8080", 200},
        {"one.example:8081", 403},
        {"one.example", 403},
        {"[2001:db8:0::1]:5", 200},
        {"[2001:db8::2]", 403},
        {"evil.example", 403},
        {"evil.example:8080", 403},
        {"localhost.evil.example", 403},
        {"evillocalhost", 403},
        {"127.0.0.1.evil.example", 403},
        {"127.evil.example", 403},
        {"127.0.0.1.2", 403},
        {"127.0.0.300", 403},
        {"0.0.0.0:8080", 403}, // reaches this machine from a page, too
        {"[::]", 403},
        {"[::1", 403},
        {"[::1]x", 403},
        {"localhost:", 403},
        {"localhost:99999", 403},
        {"localhost:80:80", 403},
        {"localhost@evil.example", 403},
        {"evil.example@localhost", 403},
        {"localhost/x", 403},
        {"localhost, evil.example", 403},
    };
    for (const auto& row : rows) {
        CAPTURE(row.host);
        const auto fields = std::string("Host: ") + row.host + "\r\n";
        CHECK(status(request("GET /", fields), options) == row.status);
        CHECK(status(request("GET /", fields, false), options) == 200);
        CHECK(status(request("GET /", fields, true, "unix"), options) == 200);
    }
}

TEST_CASE("the authority of an absolute target beats the Host") {
    const GuardOptions options;
    CHECK(status(request("GET http://localhost/x", "Host: evil.example\r\n"), options) == 200);
    CHECK(status(request("GET http://evil.example/x", "Host: localhost\r\n"), options) == 403);
    CHECK(status(request("GET http://evil.example", "Host: localhost\r\n"), options) == 403);
    CHECK(status(request("GET http://evil.example?a=/", "Host: localhost\r\n"), options) == 403);
    CHECK(status(request("GET http://localhost@evil.example/", "Host: localhost\r\n"), options) ==
          403);
    CHECK(status(request("GET /x?y=http://evil.example/", "Host: localhost\r\n"), options) == 200);
}

TEST_CASE("pages of other origins: which may read, which may publish") {
    struct Row {
        const char* origin;
        int loopback_get, loopback_post, public_get, public_post;
    };
    const auto check = [](const GuardOptions& options, const std::vector<Row>& rows) {
        for (const auto& row : rows) {
            CAPTURE(row.origin, options.cors);
            const auto fields =
                "Host: localhost:8080\r\nOrigin: " + std::string(row.origin) + "\r\n";
            CHECK(status(request("GET /", fields), options) == row.loopback_get);
            CHECK(status(request("HEAD /", fields), options) == row.loopback_get);
            CHECK(status(request("POST /", fields), options) == row.loopback_post);
            CHECK(status(request("DELETE /", fields), options) == row.loopback_post);
            CHECK(status(request("GET /", fields, false), options) == row.public_get);
            CHECK(status(request("POST /", fields, false), options) == row.public_post);
            CHECK(status(request("POST /", fields, true, "unix"), options) == row.public_post);
        }
    };
    GuardOptions none;
    check(none, {{"http://localhost:8080", 200, 200, 200, 200},
                 {"http://LOCALHOST:8080", 200, 200, 200, 200},
                 {"https://localhost:8080", 200, 200, 200, 200}, // TLS ended at a proxy
                 {"http://localhost", 403, 403, 200, 403},
                 {"http://localhost:8081", 403, 403, 200, 403},
                 {"http://evil.example", 403, 403, 200, 403},
                 {"ftp://localhost:8080", 403, 403, 200, 403},
                 {"null", 403, 403, 200, 403},
                 {"", 403, 403, 200, 403},
                 {"http://localhost:8080/", 403, 403, 200, 403},
                 {"http://localhost:8080 http://evil.example", 403, 403, 200, 403}});
    GuardOptions named;
    named.cors = {"https://app.example", "http://b.example:81"};
    check(named, {{"https://app.example", 200, 200, 200, 200},
                  {"https://APP.example:443", 200, 200, 200, 200},
                  {"http://b.example:81", 200, 200, 200, 200},
                  {"http://app.example", 403, 403, 200, 403},
                  {"https://app.example:444", 403, 403, 200, 403},
                  {"https://app.example.evil.example", 403, 403, 200, 403},
                  {"null", 403, 403, 200, 403}});
    GuardOptions any;
    any.cors = {"*"};
    check(any, {{"https://app.example", 200, 403, 200, 403}, // to publish it must be named
                {"null", 200, 403, 200, 403},
                {"http://localhost:8080", 200, 200, 200, 200}});
}

TEST_CASE("over TLS only https is the same origin, and default ports go without saying") {
    const GuardOptions options;
    const auto ask = [&](const char* host, const char* origin, bool secure) {
        return status(request("POST /",
                              std::string("Host: ") + host + "\r\nOrigin: " + origin + "\r\n",
                              false, "10.0.0.1", secure),
                      options);
    };
    CHECK(ask("a.example", "https://a.example", true) == 200);
    CHECK(ask("a.example:443", "https://a.example", true) == 200);
    CHECK(ask("a.example", "https://a.example:443", true) == 200);
    CHECK(ask("a.example", "http://a.example", true) == 403);
    CHECK(ask("a.example", "http://a.example", false) == 200);
    CHECK(ask("a.example:80", "http://a.example", false) == 200);
    CHECK(ask("a.example:80", "https://a.example", false) == 403);
}

TEST_CASE("a preflight is answered when --cors names its origin, and by nobody else") {
    const std::string fields = "Host: localhost\r\nOrigin: https://app.example\r\n"
                               "Access-Control-Request-Method: POST\r\n";
    GuardOptions options;
    options.read_tokens.add("secret"); // a preflight never has one
    CHECK(status(request("OPTIONS /", fields), options) == 403);
    CHECK(status(request("OPTIONS /", fields, false), options) == 401);
    options.cors = {"https://other.example"};
    CHECK(status(request("OPTIONS /", fields), options) == 403);
    options.cors = {"https://app.example"};
    auto response = guard(request("OPTIONS /", fields), options);
    REQUIRE(response);
    CHECK(response->status == 204);
    CHECK(header(*response, "Access-Control-Allow-Methods") == "GET, HEAD, POST");
    CHECK(header(*response, "Access-Control-Allow-Headers") ==
          "Last-Event-ID, Authorization, Content-Type, Cache-Control");
    CHECK(header(*response, "Access-Control-Max-Age") == "600");
    options.cors = {"*"};
    response = guard(request("OPTIONS /", fields), options);
    REQUIRE(response);
    CHECK(header(*response, "Access-Control-Allow-Methods") == "GET, HEAD");
    CHECK(status(request("OPTIONS /", "Host: localhost\r\n"), options) == 401); // no preflight
}

TEST_CASE("CORS headers go to allowed origins only, and never with credentials") {
    struct Row {
        std::vector<std::string> cors;
        const char* origin;
        const char *allowed, *vary;
    };
    const Row rows[] = {
        {{}, "https://app.example", "", ""},
        {{"*"}, "https://app.example", "*", ""},
        {{"*"}, "null", "*", ""},
        {{"*"}, nullptr, "", ""},
        {{"https://app.example"}, "https://app.example", "https://app.example", "Origin"},
        {{"https://app.example"}, "https://evil.example", "", "Origin"},
        {{"https://app.example"}, "null", "", "Origin"},
        {{"https://app.example"}, nullptr, "", "Origin"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.cors, row.origin ? row.origin : "none");
        GuardOptions options;
        options.cors = row.cors;
        const auto fields = row.origin ? "Origin: " + std::string(row.origin) + "\r\n" : "";
        Response response;
        add_policy_headers(request("GET /", fields), options, response);
        CHECK(header(response, "Access-Control-Allow-Origin") == row.allowed);
        CHECK(header(response, "Vary") == row.vary);
        CHECK(header(response, "Access-Control-Expose-Headers") == (*row.allowed ? "Sse-Gap" : ""));
        CHECK(header(response, "Access-Control-Allow-Credentials") == "");
    }
}

TEST_CASE("what can be named by --cors") {
    for (const char* good : {"*", "https://app.example", "http://localhost:5173", "http://[::1]:80",
                             "chrome-extension://abcdefgh"}) {
        CHECK_NOTHROW(check_origin(good));
    }
    for (const char* bad : {"null", "", "app.example", "https://app.example/", "https://", "://a",
                            "https://a/b", "https://a:x", "https://u@a", "**", "https://*.a.b*"}) {
        CHECK_THROWS_AS(check_origin(bad), Error);
    }
}

TEST_CASE("a token to read, another to publish") {
    GuardOptions read, publish, both;
    read.read_tokens.add("reader");
    read.read_tokens.add("second");
    publish.publish_tokens.add("writer");
    both.read_tokens.add("reader");
    both.publish_tokens.add("writer");
    struct Row {
        const char *target, *authorization;
        int read_get, read_post, publish_get, publish_post, both_get, both_post;
    };
    const Row rows[] = {
        {"/", nullptr, 401, 401, 200, 401, 401, 401},
        {"/", "Bearer reader", 200, 200, 200, 401, 200, 401},
        {"/", "bearer   reader", 200, 200, 200, 401, 200, 401},
        {"/", "Bearer second", 200, 200, 200, 401, 401, 401},
        {"/", "Bearer writer", 401, 401, 200, 200, 401, 200},
        {"/", "Bearer reade", 401, 401, 200, 401, 401, 401},
        {"/", "Bearer readerx", 401, 401, 200, 401, 401, 401},
        {"/", "Bearer", 401, 401, 200, 401, 401, 401},
        {"/", "Bearer ", 401, 401, 200, 401, 401, 401},
        {"/", "Basic reader", 401, 401, 200, 401, 401, 401},
        {"/?access_token=reader", nullptr, 200, 200, 200, 401, 200, 401},
        {"/?a=b&access_token=%72eader", nullptr, 200, 200, 200, 401, 200, 401},
        {"/?access_token=", nullptr, 401, 401, 200, 401, 401, 401},
        {"/?access_token=reader", "Basic abc", 200, 200, 200, 401, 200, 401},
        {"/?access_token=reader", "Bearer wrong", 401, 401, 200, 401, 401, 401},
        {"/?token=reader", nullptr, 401, 401, 200, 401, 401, 401},
    };
    for (const auto& row : rows) {
        CAPTURE(row.target, row.authorization ? row.authorization : "none");
        const auto fields =
            "Host: localhost\r\n" +
            (row.authorization ? "Authorization: " + std::string(row.authorization) + "\r\n" : "");
        const auto get = request("GET " + std::string(row.target), fields);
        const auto post = request("POST " + std::string(row.target), fields);
        CHECK(status(get, read) == row.read_get);
        CHECK(status(post, read) == row.read_post);
        CHECK(status(get, publish) == row.publish_get);
        CHECK(status(post, publish) == row.publish_post);
        CHECK(status(get, both) == row.both_get);
        CHECK(status(post, both) == row.both_post);
    }
}

TEST_CASE("a 401 says what is missing, and never what was shown") {
    GuardOptions options;
    options.read_tokens.add("reader");
    const auto missing = guard(request("GET /", "Host: localhost\r\n"), options);
    REQUIRE(missing);
    CHECK(header(*missing, "WWW-Authenticate") == "Bearer");
    CHECK(missing->body.find("Authorization: Bearer") != std::string::npos);
    const auto wrong = guard(request("GET /?access_token=hunter2", "Host: localhost\r\n"), options);
    REQUIRE(wrong);
    CHECK(header(*wrong, "WWW-Authenticate") == "Bearer error=\"invalid_token\"");
    CHECK(wrong->body.find("hunter2") == std::string::npos);
}

TEST_CASE("a token with a plus sign may come as it is in a query") {
    GuardOptions options;
    options.read_tokens.add("a+b/c==");
    CHECK(status(request("GET /?access_token=a+b/c==", "Host: localhost\r\n"), options) == 200);
    CHECK(status(request("GET /?access_token=a%2Bb%2Fc%3D%3D", "Host: localhost\r\n"), options) ==
          200);
}
