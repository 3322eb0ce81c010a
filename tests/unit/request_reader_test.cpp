#include "server/request_reader.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <fmt/format.h>

using namespace std::string_literals;
using State = sse::RequestReader::State;

namespace {

constexpr sse::RequestLimits limits{300, 100};

/// `GET /path?query body|rest`, or `431 why`, or `...` while it needs more.
std::string read(const std::vector<std::string_view>& feeds) {
    sse::RequestReader reader(limits);
    std::string rest;
    for (auto feed : feeds) {
        while (!feed.empty() && (reader.state() == State::head || reader.state() == State::body))
            reader.feed(feed);
        rest.append(feed);
    }
    if (reader.state() == State::refused) {
        return fmt::format("{} {}", reader.refusal().status, reader.refusal().why);
    }
    if (reader.state() != State::done) return "...";
    const auto& r = reader.request();
    return fmt::format("{} {}?{} {}{}{}|{}", r.method, r.path, r.query, r.body,
                       reader.keep_alive() ? "" : " close",
                       r.framing == sse::Framing::chunked ? "" : " 1.0", rest);
}

struct Row {
    const char* what;
    std::string wire, result;
};

void check(const Row& row) {
    INFO(row.what);
    const std::string_view wire = row.wire;
    CHECK(read({wire}) == row.result);
    CHECK(read(test::pieces(wire, 1)) == row.result);
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        const auto result = read({wire.substr(0, cut), wire.substr(cut)});
        if (result == row.result) continue;
        INFO("cut at " << cut);
        CHECK(result == row.result);
        return;
    }
}

/// A GET with these lines after its Host.
std::string get(const std::string& lines) {
    return "GET / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
}
std::string post(const std::string& lines) {
    return "POST / HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n";
}

const std::string bad_line = "400 the request line is not METHOD TARGET VERSION";

} // namespace

TEST_CASE("A request line and its target, at every cut") {
    const std::string host = "\r\nHost: x\r\n\r\n";
    const Row rows[] = {
        {"a path", "GET /a/b HTTP/1.1" + host, "GET /a/b? |"},
        {"a query", "GET /a?b=c%20d HTTP/1.1" + host, "GET /a?b=c%20d |"},
        {"a question mark in a query", "GET /?a?b HTTP/1.1" + host, "GET /?a?b |"},
        {"percent-decoded once", "GET /%61%2562 HTTP/1.1" + host, "GET /a%62? |"},
        {"a NUL in the path", "GET /%00 HTTP/1.1" + host, "GET /"s + '\0' + "? |"},
        {"dots are no directories", "GET /a/../b HTTP/1.1" + host, "GET /a/../b? |"},
        {"a fragment is not of it", "GET /a#b HTTP/1.1" + host, "GET /a? |"},
        {"absolute form", "GET http://h:1/a?b HTTP/1.1" + host, "GET /a?b |"},
        {"absolute form without a path", "GET http://h HTTP/1.1" + host, "GET /? |"},
        {"absolute form with a query alone", "GET http://h?a=/b HTTP/1.1" + host, "GET /?a=/b |"},
        {"absolute form of https", "GET HTTPS://h/a HTTP/1.1" + host, "GET /a? |"},
        {"absolute form without a host", "GET http:///a HTTP/1.1" + host,
         "400 the host of the target is invalid"},
        {"or a path", "GET http:// HTTP/1.1" + host, "400 the host of the target is invalid"},
        {"or but a port", "GET http://:80/ HTTP/1.1" + host,
         "400 the host of the target is invalid"},
        {"with user information", "GET http://a@h/ HTTP/1.1" + host,
         "400 the host of the target is invalid"},
        {"a URL in a query", "GET /?u=http://h/ HTTP/1.1" + host, "GET /?u=http://h/ |"},
        {"a URL of something else", "GET ftp://h/a HTTP/1.1" + host,
         "400 the target is not a path"},
        {"a URL behind a question mark", "GET a?b://c/d HTTP/1.1" + host,
         "400 the target is not a path"},
        {"the server as a whole", "OPTIONS * HTTP/1.1" + host, "OPTIONS *? |"},
        {"which only OPTIONS may name", "GET * HTTP/1.1" + host, "400 the target is not a path"},
        {"authority form", "CONNECT h:1 HTTP/1.1" + host, "400 the target is not a path"},
        {"another method", "BREW / HTTP/1.1" + host, "BREW /? |"},
        {"a method is a token", "G\xC3\xA4T / HTTP/1.1" + host, "400 the method is not a token"},
        {"and no target", "G(T / HTTP/1.1" + host, "400 the method is not a token"},
        {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET /?  close 1.0|"},
        {"HTTP/0.9", "GET /\r\n\r\n", bad_line},
        {"another version", "GET / HTTP/9.9" + host,
         "505 only HTTP/1.1 and HTTP/1.0 are supported"},
        {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\n",
         "505 only HTTP/1.1 and HTTP/1.0 are supported"},
        {"lower case", "GET / http/1.1" + host, bad_line},
        {"no version", "GET / " + host, bad_line},
        {"two blanks", "GET  / HTTP/1.1" + host, bad_line},
        {"a blank in the target", "GET /a b HTTP/1.1" + host, bad_line},
        {"a tab", "GET\t/ HTTP/1.1" + host, bad_line},
        {"a NUL", "GET /\0 HTTP/1.1"s + host, "400 line 1 of the head contains a control byte"},
        {"TLS", "\x16\x03\x01\x02", "400 not an HTTP request"},
        {"a blank before it", " GET / HTTP/1.1" + host, "400 not an HTTP request"},
        {"an empty line before it", "\r\nGET / HTTP/1.1" + host, "GET /? |"},
        {"two", "\r\n\r\nGET / HTTP/1.1" + host, "GET /? |"},
        {"and no end of them", "\r\n\r\n\r\n\r\n\r\n", "400 not an HTTP request"},
        {"a CR before it", "\rGET / HTTP/1.1" + host, "400 not an HTTP request"},
        {"an LF before it", "\nGET / HTTP/1.1" + host, "400 not an HTTP request"},
        {"what follows is the next request", "GET / HTTP/1.1" + host + "GET /2", "GET /? |GET /2"},
        {"not yet whole", "GET / HTTP/1.1\r\nHost: x\r\n", "..."},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("Fields of a request, at every cut") {
    const Row rows[] = {
        {"no Host", "GET / HTTP/1.1\r\n\r\n", "400 no Host"},
        {"two Hosts", get("Host: y\r\n"), "400 more than one Host field"},
        {"two in HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\nhost: x\r\n\r\n",
         "400 more than one Host field"},
        {"asked to close", get("Connection: close\r\n"), "GET /?  close|"},
        {"in a list", get("Connection: Upgrade, Close\r\n"), "GET /?  close|"},
        {"not asked to close", get("Connection: closed\r\n"), "GET /? |"},
        {"HTTP/1.0 may ask to stay, in vain", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
         "GET /?  close 1.0|"},
        {"no colon", get("abc\r\n"), "400 line 3 of the head has no colon"},
        {"no name", get(": a\r\n"), "400 line 3 of the head has an invalid name"},
        {"a blank before the colon", get("A : b\r\n"),
         "400 line 3 of the head has an invalid name"},
        {"folded", get("A: b\r\n c\r\n"), "400 line 4 of the head is folded"},
        {"a NUL in a value", get("A: b\0c\r\n"s), "400 line 3 of the head contains a control byte"},
        {"a CR in a value", get("A: b\rc\r\n"), "400 line 3 of the head contains a control byte"},
        {"a bare LF", "GET / HTTP/1.1\nHost: x\n\n", "400 a line ends in a bare LF"},
        {"a bare LF further on", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n",
         "400 a line ends in a bare LF"},
        {"a long request line", "GET /" + std::string(400, 'a'),
         "414 the request line is too long"},
        {"a long field", get("A: " + std::string(400, 'a') + "\r\n"),
         "431 the head is longer than 300 bytes"},
        {"many fields", get([] {
             std::string many;
             for (int i = 0; i < 100; ++i) many += "A: b\r\n";
             return many;
         }()),
         "431 the head is longer than 300 bytes"},
        {"exactly as long as may be",
         get("A: " + std::string(300 - get("A: \r\n").size(), 'a') + "\r\n"), "GET /? |"},
        {"one byte longer", get("A: " + std::string(301 - get("A: \r\n").size(), 'a') + "\r\n"),
         "431 the head is longer than 300 bytes"},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("The body of a request, at every cut") {
    const std::string chunked = "Transfer-Encoding: chunked\r\n";
    const std::string not_hex = "400 chunked body: a chunk size is not a hexadecimal number";
    const std::string long_body = "413 the body is longer than 100 bytes";
    const std::string no_number = "400 Content-Length is not a number";
    const Row rows[] = {
        {"by its length", post("Content-Length: 3\r\n") + "abcGET", "POST /? abc|GET"},
        {"of no bytes", post("Content-Length: 0\r\n") + "GET", "POST /? |GET"},
        {"without a length there is none", post("") + "abc", "POST /? |abc"},
        {"not yet whole", post("Content-Length: 4\r\n") + "abc", "..."},
        {"of a GET: no byte of it is a request",
         get("Content-Length: 18\r\n") + "GET /2 HTTP/1.1\r\n\r", "GET /? GET /2 HTTP/1.1\r\n\r|"},
        {"zeros before the length", post("Content-Length: 003\r\n") + "abc", "POST /? abc|"},
        {"too long", post("Content-Length: 101\r\n"), long_body},
        {"far too long", post("Content-Length: 99999999999999999999\r\n"), long_body},
        {"less than nothing", post("Content-Length: -1\r\n"), no_number},
        {"with a sign", post("Content-Length: +1\r\n"), no_number},
        {"in hexadecimal", post("Content-Length: 0x1\r\n"), no_number},
        {"a list", post("Content-Length: 3, 3\r\n"), no_number},
        {"empty", post("Content-Length:\r\n"), no_number},
        {"two lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n"),
         "400 more than one Content-Length field"},
        {"both framings", post("Content-Length: 3\r\n" + chunked),
         "400 both Transfer-Encoding and Content-Length fields"},
        {"the other way round", post(chunked + "Content-Length: 3\r\n"),
         "400 both Transfer-Encoding and Content-Length fields"},
        {"two transfer codings", post(chunked + chunked),
         "400 more than one Transfer-Encoding field"},
        {"a list of them", post("Transfer-Encoding: gzip, chunked\r\n"),
         "501 a transfer coding other than chunked"},
        {"another", post("Transfer-Encoding: identity\r\n"),
         "501 a transfer coding other than chunked"},
        {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" + chunked + "\r\n",
         "400 Transfer-Encoding in HTTP/1.0"},
        {"chunked", post(chunked) + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "POST /? abcde|GET"},
        {"in any case", post("Transfer-Encoding: Chunked\r\n") + "0\r\n\r\n", "POST /? |"},
        {"of a GET", get(chunked) + "3\r\nabc\r\n0\r\n\r\nGET", "GET /? abc|GET"},
        {"with extensions and trailers", post(chunked) + "1;a=b\r\nx\r\n0\r\nA: b\r\n\r\nGET",
         "POST /? x|GET"},
        {"a size of two numbers", post(chunked) + "3 5\r\nabc\r\n0\r\n\r\n", not_hex},
        {"a NUL in an extension", post(chunked) + "3;a=\0\r\nabc\r\n0\r\n\r\n"s,
         "400 chunked body: a chunk extension contains a control character"},
        {"a NUL in a trailer", post(chunked) + "0\r\nA: \0\r\n\r\n"s,
         "400 chunked body: a trailer contains a control character"},
        {"a trailer that ends in a bare LF", post(chunked) + "0\r\n\nGET / HTTP/1.1\r\n",
         "400 chunked body: a trailer ends in a bare LF"},
        {"a trailer with a bare CR", post(chunked) + "0\r\nA: b\rc\r\n\r\n",
         "400 chunked body: a trailer contains a bare CR"},
        {"a size of -2", post(chunked) + "-2\r\n", not_hex},
        {"a huge size", post(chunked) + "FFFFFFFFFFFFFFFF\r\n",
         "400 chunked body: a chunk size has too many digits"},
        {"too long in chunks",
         post(chunked) + "32\r\n" + std::string(50, 'a') + "\r\n33\r\n" + std::string(51, 'a') +
             "\r\n",
         long_body},
        {"chunked without an end", post(chunked) + "3\r\nabc\r\n", "..."},
    };
    for (const auto& row : rows) check(row);
}

TEST_CASE("Trailers are kept, within the limit of a head") {
    const auto read = [](const std::string& trailers) {
        sse::RequestReader reader(limits);
        const auto wire =
            post("Transfer-Encoding: chunked\r\n") + "1\r\nx\r\n0\r\n" + trailers + "\r\n";
        std::string_view rest = wire;
        while (!rest.empty() && (reader.state() == State::head || reader.state() == State::body))
            reader.feed(rest);
        return reader.state() == State::done ? reader.request().trailers : reader.refusal().why;
    };
    CHECK(read("").empty());
    CHECK(read("X-Sum: 1\r\nY:2\r\n") == "X-Sum: 1\r\nY:2\r\n");
    CHECK(read("A: " + std::string(limits.max_head_bytes, 'x') + "\r\n") ==
          "the trailers are longer than " + std::to_string(limits.max_head_bytes) + " bytes");
}

TEST_CASE("100 Continue is asked for once, and only if a body is to come") {
    const auto asks = [](const std::string& wire) {
        sse::RequestReader reader(limits);
        std::string_view rest = wire;
        while (!rest.empty() && (reader.state() == State::head || reader.state() == State::body))
            reader.feed(rest);
        const bool first = reader.wants_continue();
        CHECK_FALSE(reader.wants_continue());
        return first;
    };
    CHECK(asks(post("Content-Length: 3\r\nExpect: 100-continue\r\n")));
    CHECK(asks(post("Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n")));
    CHECK_FALSE(asks(post("Content-Length: 3\r\nExpect: 100-continue\r\n") + "a"));
    CHECK_FALSE(asks(post("Content-Length: 0\r\nExpect: 100-continue\r\n")));
    CHECK_FALSE(asks(post("Content-Length: 3\r\n")));
    CHECK_FALSE(asks(post("Content-Length: 101\r\nExpect: 100-continue\r\n")));
}

TEST_CASE("A reader is empty until the first byte of a request") {
    sse::RequestReader reader(limits);
    const auto feed = [&](std::string_view bytes) {
        reader.feed(bytes);
        CHECK(reader.state() == State::head);
        return reader.empty();
    };
    CHECK(reader.empty());
    CHECK(feed("\r"));
    CHECK(feed("\n"));
    CHECK_FALSE(feed("G"));
}

TEST_CASE("Values of fields are as they were sent") {
    sse::RequestReader reader(limits);
    const auto wire = get("Last-Event-ID: \t a%0d%0adata: x,\xE2\x80\xA6 \r\nA: 1\r\na: 2\r\n");
    std::string_view rest = wire;
    REQUIRE(reader.feed(rest) == State::done);
    CHECK(reader.request().head.find("last-event-id") == "a%0d%0adata: x,\xE2\x80\xA6");
    CHECK(reader.request().head.find("A") == "1");
    CHECK(reader.request().head.count("a") == 2);
    CHECK(reader.request().target == "/");
}
