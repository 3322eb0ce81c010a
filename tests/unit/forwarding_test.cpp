#include "proxy/forwarding.hpp"

#include "server/request_reader.hpp"
#include "unit/catch2.hpp"

namespace {

/// The request with this request line and these lines; a field `Host: proxy` comes first.
sse::Request request(const std::string& line, const std::string& lines = {}) {
    sse::RequestReader reader(sse::RequestLimits{});
    const auto wire = line + " HTTP/1.1\r\nHost: proxy\r\n" + lines + "\r\n";
    std::string_view rest = wire;
    const auto state = reader.feed(rest);
    REQUIRE(state != sse::RequestReader::State::refused);
    REQUIRE(state != sse::RequestReader::State::head);
    return reader.request();
}

/// The fields of the forwarded GET after the Host, without those that every request gets.
std::string passed(const std::string& lines, const std::string& upstream = "http://up:81",
                   bool hide_token = false, bool expect = true) {
    const auto head = sse::forwarded_request_head(
        request("GET /", lines), sse::Url::parse(upstream), {}, hide_token, expect);
    const std::string begin =
        "GET / HTTP/1.1\r\nHost: " + sse::Url::parse(upstream).authority() + "\r\n";
    REQUIRE(head.starts_with(begin));
    REQUIRE(head.ends_with("\r\n\r\n"));
    auto fields = head.substr(begin.size(), head.size() - begin.size() - 2);
    const std::string close = "Connection: close\r\n";
    if (fields.ends_with(close)) fields.resize(fields.size() - close.size());
    return fields;
}

sse::Head head_of(const std::string& lines, const std::string& line = "HTTP/1.1 200 OK") {
    return sse::Head::parse(line + "\r\n" + lines + "\r\n");
}

using Fields = std::vector<std::pair<std::string, std::string>>;

} // namespace

TEST_CASE("The target that an upstream server is asked for") {
    struct Row {
        std::string target, upstream, forwarded;
        bool hide_token = false;
    };
    const Row rows[] = {
        {"/", "http://up", "/"},
        {"/a/b?c=%2F&d", "http://up", "/a/b?c=%2F&d"},
        {"/a", "http://up/", "/a"},
        {"/a", "http://up/base", "/base/a"},
        {"/a", "http://up/base//", "/base/a"},
        {"/", "http://up/base", "/base/"},
        {"//evil/x", "http://up", "//evil/x"}, // a path to it, too: it comes after the host
        {"/a/../b", "http://up/base", "/base/a/../b"},
        {"/a#b", "http://up", "/a"},
        {"/a?b#c", "http://up", "/a?b"},
        {"http://proxy/a?b", "http://up/base", "/base/a?b"},
        {"http://proxy", "http://up", "/"},
        {"http://proxy?a=/b", "http://up", "/?a=/b"},
        {"/?access_token=x", "http://up", "/?access_token=x"},
        {"/?access_token=x", "http://up", "/", true},
        {"/?a=1&access_token=x&b=2", "http://up", "/?a=1&b=2", true},
        {"/?a=1&access_token=x&access_token=y", "http://up", "/?a=1", true},
        {"/?access_tokens=x&xaccess_token=y", "http://up", "/?access_tokens=x&xaccess_token=y",
         true},
        {"/?access_token", "http://up", "/", true},
    };
    for (const auto& row : rows) {
        INFO(row.target << " " << row.upstream);
        CHECK(sse::forwarded_target(request("GET " + row.target), sse::Url::parse(row.upstream),
                                    row.hide_token) == row.forwarded);
    }
    const auto options = request("OPTIONS *");
    CHECK(sse::forwarded_target(options, sse::Url::parse("http://up"), false) == "*");
    CHECK(sse::forwarded_target(options, sse::Url::parse("http://up/base/"), false) == "/base");
}

TEST_CASE("Fields of a request that are passed on, and those of one connection (RFC 9110, 7.6.1)") {
    struct Row {
        const char *lines, *passed;
    };
    const Row rows[] = {
        {"", ""},
        {"B: 2\r\na: 1\r\nB: 3\r\n", "B: 2\r\na: 1\r\nB: 3\r\n"},
        {"X:\r\n", "X: \r\n"},
        {"X: \xC3\xA9\"\\\t,\r\n", "X: \xC3\xA9\"\\\t,\r\n"},
        {"Connection: close\r\n", ""},
        {"Connection: keep-alive, X-A ,x-b\r\nX-A: 1\r\nX-B: 2\r\nX-C: 3\r\n", "X-C: 3\r\n"},
        {"Connection: X-A\r\nConnection: X-B\r\nX-A: 1\r\nX-B: 2\r\n", ""},
        {"Connection: host\r\nX: 1\r\n", "X: 1\r\n"}, // the Host is ours whatever it names
        {"Keep-Alive: timeout=1\r\nProxy-Connection: x\r\nUpgrade: h2c\r\n", ""},
        {"Proxy-Authorization: Basic x\r\nProxy-Authenticate: y\r\nHTTP2-Settings: z\r\n", ""},
        {"TE: gzip;q=1\r\n", ""},
        {"Trailer: X-Sum\r\n", ""}, // there are none behind a body that is not chunked
        {"TE: trailers, gzip\r\n", "Connection: close, TE\r\nTE: trailers\r\n"},
        {"Forwarded: for=x\r\nVia: 1.1 y\r\nMax-Forwards: 3\r\n",
         "Forwarded: for=x\r\nVia: 1.1 y\r\nMax-Forwards: 3\r\n"},
        {"Authorization: Bearer x\r\nCookie: a=b\r\n",
         "Authorization: Bearer x\r\nCookie: a=b\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.lines);
        CHECK(passed(row.lines) == row.passed);
    }
}

TEST_CASE("The Host is the upstream server's, and its user info becomes credentials") {
    CHECK(passed("Host-X: 1\r\n", "http://up") == "Host-X: 1\r\n");
    CHECK(passed("", "https://[::1]:443").empty());
    CHECK(passed("", "http://[::1]:8080").empty()); // the helper has checked the Host
    CHECK(passed("", "http://u:p@up") == "Authorization: Basic dTpw\r\n");
    CHECK(passed("Authorization: Bearer x\r\n", "http://u:p@up") == "Authorization: Bearer x\r\n");
    // Authorization was for the proxy
    CHECK(passed("Authorization: Bearer x\r\n", "http://up", true).empty());
    CHECK(passed("Authorization: Bearer x\r\n", "http://u:p@up", true) ==
          "Authorization: Basic dTpw\r\n");
}

TEST_CASE("An expectation is passed on if the body is not here yet") {
    CHECK(passed("Expect: 100-continue\r\n") == "Expect: 100-continue\r\n");
    CHECK(passed("Expect: 100-continue\r\n", "http://up", false, false).empty());
}

TEST_CASE("Codings that cannot be recorded are not asked for") {
    struct Row {
        const char *lines, *passed;
    };
    const Row rows[] = {
        {"", nullptr},
        {"Accept-Encoding: gzip, deflate, br, zstd\r\n", "gzip, deflate, br"},
        {"Accept-Encoding: GZIP;q=0.5 , x-gzip\r\n", "GZIP;q=0.5, x-gzip"},
        {"Accept-Encoding: zstd\r\nAccept-Encoding: br;q=1.0\r\n", "br;q=1.0"},
        {"Accept-Encoding: *\r\n", "identity"},
        {"Accept-Encoding: compress, dcb\r\n", "identity"},
        {"Accept-Encoding: identity;q=0, gzip\r\n", "identity;q=0, gzip"},
        {"Accept-Encoding:\r\n", "identity"},
    };
    for (const auto& row : rows) {
        INFO(row.lines);
        const auto codings = sse::narrowed_codings(head_of(row.lines));
        CHECK(codings.has_value() == (row.passed != nullptr));
        if (row.passed != nullptr) CHECK(*codings == row.passed);
    }
    CHECK(passed("A: 1\r\nAccept-Encoding: zstd, br\r\nB: 2\r\n") ==
          "A: 1\r\nB: 2\r\nAccept-Encoding: br\r\n");
}

TEST_CASE("The framing of a forwarded request is the proxy's own") {
    const auto up = sse::Url::parse("http://up");
    const auto chunked = request("POST /", "Transfer-Encoding: chunked\r\n");
    const auto length = request("POST /", "Content-Length: 5\r\n");
    const std::string begin = "POST / HTTP/1.1\r\nHost: up\r\nConnection: close\r\n";
    CHECK(sse::forwarded_request_head(chunked, up, {true, std::nullopt}, false, true) ==
          begin + "Transfer-Encoding: chunked\r\n\r\n");
    const auto trailers = request("POST /", "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n");
    CHECK(sse::forwarded_request_head(trailers, up, {true, std::nullopt}, false, true) ==
          "POST / HTTP/1.1\r\nHost: up\r\nTrailer: X-Sum\r\nConnection: close\r\n"
          "Transfer-Encoding: chunked\r\n\r\n");
    CHECK(sse::forwarded_request_head(chunked, up, {false, 7}, false, true) ==
          begin + "Content-Length: 7\r\n\r\n");
    CHECK(sse::forwarded_request_head(length, up, {false, 5}, false, true) ==
          begin + "Content-Length: 5\r\n\r\n");
    CHECK(sse::forwarded_request_head(length, up, {}, false, true) == begin + "\r\n");
}

TEST_CASE("Requests for another protocol than HTTP are not passed on") {
    struct Row {
        const char *lines, *why;
    };
    const Row rows[] = {
        {"", ""},
        {"Upgrade: websocket\r\n", ""}, // without Connection: not asked of this server
        {"Connection: Upgrade\r\nUpgrade: websocket\r\n", "websocket"},
        {"Connection: keep-alive, upgrade\r\nUpgrade: h2c, websocket\r\n", "websocket"},
        {"Connection: Upgrade\r\nUpgrade: h2c\r\n", ""},
        {"Connection: Upgrade\r\nUpgrade: HTTP/2.0, TLS/1.0\r\n", ""},
    };
    for (const auto& row : rows) {
        INFO(row.lines);
        CHECK(sse::unsupported_upgrade(head_of(row.lines)) == row.why);
    }
}

TEST_CASE("The head of a response as the client gets it") {
    using Kind = sse::BodyFraming;
    struct Row {
        const char* what;
        std::string lines;
        sse::ResponseFraming framing;
        sse::ResponseForm form;
        std::string passed;
    };
    const Row rows[] = {
        {"chunked",
         "Transfer-Encoding: chunked\r\nA: b\r\n",
         {Kind::chunked, 0},
         {true, true, false},
         "A: b\r\nTransfer-Encoding: chunked\r\n"},
        {"to the end, chunked for the client",
         "A: b\r\n",
         {Kind::close, 0},
         {true, true, false},
         "A: b\r\nTransfer-Encoding: chunked\r\n"},
        {"for HTTP/1.0",
         "A: b\r\n",
         {Kind::chunked, 0},
         {false, false, true},
         "A: b\r\nConnection: close\r\n"},
        {"a length",
         "Content-Length: 5\r\nA: b\r\n",
         {Kind::length, 5},
         {false, true, false},
         "A: b\r\nContent-Length: 5\r\n"},
        {"a length for HTTP/1.0, kept alive",
         "",
         {Kind::length, 5},
         {false, true, true},
         "Content-Length: 5\r\nConnection: keep-alive\r\n"},
        {"a length twice",
         "Content-Length: 5, 5\r\nContent-Length: 5\r\n",
         {Kind::length, 5},
         {false, true, false},
         "Content-Length: 5\r\n"},
        {"none, as of HEAD",
         "Content-Length: 5\r\n",
         {Kind::none, 0},
         {false, true, false},
         "Content-Length: 5\r\n"},
        {"none", "", {Kind::none, 0}, {false, true, false}, ""},
        {"fields of the connection",
         "Connection: close, X-A\r\nX-A: 1\r\nKeep-Alive: 5\r\n"
         "Proxy-Authenticate: x\r\nTrailer: X-Sum\r\n",
         {Kind::chunked, 0},
         {true, true, false},
         "Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n"},
        {"cookies in their order",
         "Set-Cookie: a=1\r\nX: y\r\nset-cookie: b=2\r\n",
         {Kind::length, 0},
         {false, true, false},
         "Set-Cookie: a=1\r\nX: y\r\nset-cookie: b=2\r\nContent-Length: 0\r\n"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(sse::forwarded_response_head(head_of(row.lines), row.framing, row.form, {}) ==
              "HTTP/1.1 200 OK\r\n" + row.passed + "\r\n");
    }
    const Fields policy = {{"Access-Control-Allow-Origin", "https://a"}, {"Vary", "Origin"}};
    CHECK(sse::forwarded_response_head(
              head_of("access-control-allow-origin: *\r\nA: b\r\n", "HTTP/1.0 404 Not  here "),
              {Kind::length, 1}, {false, true, false}, policy) ==
          "HTTP/1.1 404 Not  here \r\nA: b\r\nAccess-Control-Allow-Origin: https://a\r\n"
          "Vary: Origin\r\nContent-Length: 1\r\n\r\n");
}

TEST_CASE("Interim heads and trailers that are passed on") {
    CHECK(sse::forwarded_interim_head(
              head_of("Link: </x>\r\nConnection: Y\r\nY: 1\r\n", "HTTP/1.0 103 Early Hints")) ==
          "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
    struct Row {
        const char *lines, *passed;
    };
    const Row rows[] = {
        {"", ""},
        {"A: 1\r\nb:2\r\n", "A: 1\r\nb: 2\r\n"},
        {"Content-Length: 5\r\nHost: x\r\nA: 1\r\nTransfer-Encoding: chunked\r\n", "A: 1\r\n"},
        {"A : 1\r\n", ""}, // malformed: none of them
        {"A: 1\r\nno colon\r\n", ""},
        {"A: 1\r\n\r\nHTTP/1.1 200 OK\r\n", "A: 1\r\n"}, // nothing behind their end
    };
    for (const auto& row : rows) {
        INFO(row.lines);
        CHECK(sse::chunked_end(row.lines) == "0\r\n" + std::string(row.passed) + "\r\n");
    }
}
