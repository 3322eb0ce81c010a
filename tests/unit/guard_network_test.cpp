#include "base/error.hpp"
#include "server/admission.hpp"
#include "server/guard.hpp"
#include "unit/catch2.hpp"

using namespace sse;

namespace {

/// Where the connection of a request ends.
enum class Where { loopback, loopback_of_all, lan, lan_of_all, internet, internet_of_all };

int status(const std::string& line, const std::string& fields, Where where,
           const GuardOptions& options) {
    Request r;
    r.head = Head::parse(line + " HTTP/1.1\r\n" + fields + "\r\n");
    r.method = line.substr(0, line.find(' '));
    r.target = line.substr(line.find(' ') + 1);
    r.path = "/";
    r.peer = "192.0.2.1";
    r.loopback = where == Where::loopback || where == Where::loopback_of_all;
    r.private_network = where == Where::lan || where == Where::lan_of_all;
    r.all_interfaces = where == Where::loopback_of_all || where == Where::lan_of_all ||
                       where == Where::internet_of_all;
    const auto response = guard(r, options);
    return response ? response->status : 200;
}

int status(const char* host, Where where, const GuardOptions& options) {
    return status("GET /", std::string("Host: ") + host + "\r\n", where, options);
}

} // namespace

TEST_CASE("a Host is judged by the address that the connection came to") {
    GuardOptions options;
    options.own_names = {"box.example", "box", "box.local"};
    options.allowed_hosts = {"app.example"};
    struct Row {
        const char* host;
        int loopback, loopback_of_all, lan, lan_of_all, internet, internet_of_all;
    };
    const Row rows[] = {
        {"evil.example", 403, 403, 403, 403, 200, 403},
        {"evil.example:8080", 403, 403, 403, 403, 200, 403},
        {"localhost:8080", 200, 200, 200, 200, 200, 200},
        {"127.0.0.1", 200, 200, 200, 200, 200, 200},
        {"app.example", 200, 200, 200, 200, 200, 200},
        {"box.example", 403, 200, 200, 200, 200, 200},
        {"BOX:80", 403, 200, 200, 200, 200, 200},
        {"box.local.", 403, 200, 200, 200, 200, 200},
        {"box.evil.example", 403, 403, 403, 403, 200, 403},
        {"192.168.0.7:8080", 403, 403, 200, 200, 200, 200},
        {"[fd00::7]:8080", 403, 403, 200, 200, 200, 200},
        {"192.168.0.7.evil.example", 403, 403, 403, 403, 200, 403},
        {"", 200, 200, 200, 200, 200, 200}, // no browser sends that
    };
    for (const auto& row : rows) {
        CAPTURE(row.host);
        CHECK(status(row.host, Where::loopback, options) == row.loopback);
        CHECK(status(row.host, Where::loopback_of_all, options) == row.loopback_of_all);
        CHECK(status(row.host, Where::lan, options) == row.lan);
        CHECK(status(row.host, Where::lan_of_all, options) == row.lan_of_all);
        CHECK(status(row.host, Where::internet, options) == row.internet);
        CHECK(status(row.host, Where::internet_of_all, options) == row.internet_of_all);
    }
}

TEST_CASE("where a token or a certificate protects the network, any Host will do") {
    GuardOptions token, certificate, publish;
    token.read_tokens.add("t");
    certificate.client_certificates = true;
    publish.publish_tokens.add("t");
    const std::string fields = "Host: evil.example\r\n";
    CHECK(status("GET /?access_token=t", fields, Where::lan_of_all, token) == 401);
    CHECK(status("GET /", fields, Where::lan_of_all, certificate) == 200);
    CHECK(status("GET /", fields, Where::lan_of_all, publish) == 403); // anybody may read
    CHECK(status("POST /", fields, Where::lan_of_all, publish) == 401);
    for (const auto* options : {&token, &certificate, &publish})
        CHECK(status("GET /", fields, Where::loopback, *options) == 403);
}

TEST_CASE("what a page of another site loads without an Origin is known by Sec-Fetch-Site") {
    struct Row {
        const char *line, *site, *mode;
        int loopback, internet;
    };
    const Row rows[] = {
        {"GET /", "cross-site", "no-cors", 403, 200}, // <img>, <script>
        {"GET /", "cross-site", "navigate", 200, 200},
        {"GET /", "cross-site", "", 403, 200},
        {"GET /", "same-site", "no-cors", 200, 200},
        {"GET /", "same-origin", "cors", 200, 200},
        {"GET /", "none", "navigate", 200, 200},
        {"HEAD /", "cross-site", "no-cors", 403, 200},
        {"POST /", "cross-site", "no-cors", 403, 403},
        {"POST /", "cross-site", "navigate", 403, 403},
        {"POST /", "same-origin", "cors", 200, 200},
    };
    for (const auto& row : rows) {
        CAPTURE(row.line, row.site, row.mode);
        const auto fields = std::string("Host: localhost\r\nSec-Fetch-Site: ") + row.site +
                            "\r\nSec-Fetch-Mode: " + row.mode + "\r\n";
        CHECK(status(row.line, fields, Where::loopback, {}) == row.loopback);
        CHECK(status(row.line, fields, Where::internet, {}) == row.internet);
        GuardOptions named;
        named.cors = {"https://app.example"};
        CHECK(status(row.line, "Origin: https://app.example\r\n" + fields, Where::loopback,
                     named) == 200);
    }
}

TEST_CASE("an allowed host may be a domain with its subdomains") {
    GuardOptions options;
    options.allowed_hosts = {".example.com", ".one.example:81"};
    CHECK(status("example.com", Where::loopback, options) == 200);
    CHECK(status("a.example.com", Where::loopback, options) == 200);
    CHECK(status("a.B.example.COM.:8080", Where::loopback, options) == 200);
    CHECK(status("evilexample.com", Where::loopback, options) == 403);
    CHECK(status("example.com.evil.example", Where::loopback, options) == 403);
    CHECK(status("a.one.example:81", Where::loopback, options) == 200);
    CHECK(status("a.one.example", Where::loopback, options) == 403);
    for (const char* good : {"a", "a.b", ".a.b", "a:1", ".a:1", "[::1]", "1.2.3.4"})
        CHECK_NOTHROW(check_allowed_host(good));
    for (const char* bad : {"", ".", "..", "..a", "*.a", ".1.2.3.4", "http://a", "a/b", ".[::1]"})
        CHECK_THROWS_AS(check_allowed_host(bad), Error);
}

TEST_CASE("credentials and further fields are for named origins") {
    GuardOptions options;
    options.cors = {"https://app.example"};
    options.cors_credentials = true;
    options.cors_headers = {"X-Request-Id", "HX-Request"};
    Request r;
    r.head = Head::parse("OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n"
                         "Access-Control-Request-Method: GET\r\n\r\n");
    r.method = "OPTIONS";
    r.target = r.path = "/";
    auto response = guard(r, options);
    REQUIRE(response);
    add_policy_headers(r, options, *response);
    const auto header = [&](std::string_view name) {
        std::string all;
        for (const auto& [n, value] : response->headers) {
            if (n == name) all += value;
        }
        return all;
    };
    CHECK(header("Access-Control-Allow-Headers") ==
          "Last-Event-ID, Authorization, Content-Type, Cache-Control, X-Request-Id, HX-Request");
    CHECK(header("Access-Control-Allow-Credentials") == "true");
    CHECK(header("Cross-Origin-Resource-Policy") == "same-origin");
    options.cors = {"*"};
    response = Response{};
    response->headers = {{"cross-origin-resource-policy", "same-site"}}; // of a recording
    add_policy_headers(r, options, *response);
    CHECK(header("Access-Control-Allow-Credentials").empty());
    CHECK(header("Cross-Origin-Resource-Policy").empty());
}

TEST_CASE("a busy server spreads those who return") {
    Request r;
    r.method = "GET";
    r.head = Head::parse("GET / HTTP/1.1\r\nAccept: text/event-stream\r\n\r\n");
    SeededRandom random(1);
    std::vector<std::string> times, retries;
    for (int i = 0; i < 20; ++i) {
        const auto refused = busy_response(r, Refusal::clients, Busy::status, random);
        CHECK(refused.status == 503);
        times.push_back(refused.headers.at(0).second);
        const auto later = busy_response(r, Refusal::clients, Busy::retry, random);
        CHECK(later.status == 200);
        retries.push_back(later.body);
    }
    for (auto* values : {&times, &retries}) {
        std::sort(values->begin(), values->end());
        CHECK(values->front() != values->back());
    }
    r.head = Head::parse("GET / HTTP/1.1\r\nAccept: text/html,*/*\r\n\r\n");
    CHECK(busy_response(r, Refusal::clients, Busy::retry, random).status == 503);
    r.method = "POST";
    CHECK(busy_response(r, Refusal::clients, Busy::retry, random).status == 503);
}
