#include "client/client_response.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"
#include "unit/catch2.hpp"

#include <arpa/inet.h>
#include <chrono>
#include <netinet/in.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace {

struct Result {
    std::string body, error, heads;
    sse::Reason reason = sse::Reason::unspecified;
    sse::Errc code = sse::Errc::io;
    sse::BodyEnd end = sse::BodyEnd::open;
    std::string coding, ignored;
};

/// The response to a GET that a server gives with `wire` and then closes, read `step` bytes at a
/// time.
Result received(const std::string& wire, std::size_t step, const char* method = "GET") {
    int ends[2];
    REQUIRE(sse::make_socket_pair(ends, true));
    const int size = 512 * 1024;
    ::setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    REQUIRE(::send(ends[1], wire.data(), wire.size(), 0) == static_cast<ssize_t>(wire.size()));
    ::shutdown(ends[1], SHUT_WR);
    sse::Interrupt interrupt;
    sse::ClientResponseOptions options;
    options.read_bytes = step;
    options.compressed = true;
    sse::ClientResponse response(
        std::make_unique<sse::ClientConnection>(ends[0], "h:80", interrupt), options);
    sse::ClientRequest request;
    request.method = method;
    request.url = sse::Url::parse("http://h/");
    Result result;
    sse::ClientResponse::Trace trace;
    trace.received = [&](std::string_view head) { result.heads += head; };
    try {
        response.send(request, trace);
        result.coding = response.coding();
        result.ignored = response.ignored_coding();
        while (const auto piece = response.read({})) result.body += *piece;
        result.end = response.end();
    } catch (const sse::Error& e) {
        result.error = e.what();
        result.reason = e.reason();
        result.code = e.code();
    }
    ::close(ends[1]);
    return result;
}

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
const std::string chunks = "9\r\ndata: x\n\n\r\n0\r\n\r\n";

} // namespace

TEST_CASE("ClientResponse reads every valid framing, however the bytes are cut") {
    struct Row {
        const char* what;
        std::string wire, body;
    };
    const Row rows[] = {
        {"closed at the end", ok + "\r\ndata: x\n\n", "data: x\n\n"},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\ndata: x\n\n", "data: x\n\n"},
        {"no reason phrase", "HTTP/1.1 200\r\n\r\ndata: x\n\n", "data: x\n\n"},
        {"lines end in LF", "HTTP/1.1 200 OK\nA: b\n\ndata: x\n\n", "data: x\n\n"},
        {"a length", ok + "Content-Length: 9\r\n\r\ndata: x\n\n", "data: x\n\n"},
        {"bytes behind the length", ok + "Content-Length: 9\r\n\r\ndata: x\n\ndata: y\n\n",
         "data: x\n\n"},
        {"length 0", ok + "Content-Length: 0\r\n\r\n", ""},
        {"the same length twice", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", "x"},
        {"the same length in a list", ok + "Content-Length: 1, 1\r\n\r\nx", "x"},
        {"chunked goes before a length",
         ok + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, "data: x\n\n"},
        {"upper case", ok + "TRANSFER-ENCODING: Chunked\r\n\r\n" + chunks, "data: x\n\n"},
        {"identity alone", ok + "Transfer-Encoding: identity\r\n\r\ndata: x\n\n", "data: x\n\n"},
        {"identity with a length",
         ok + "Content-Length: 3\r\nTransfer-Encoding: Identity\r\n\r\ndata: x\n\n", "data: x\n\n"},
        {"identity before chunked", ok + "Transfer-Encoding: identity, chunked\r\n\r\n" + chunks,
         "data: x\n\n"},
        {"identity in a field of its own",
         ok + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
         "data: x\n\n"},
        {"a name that is no coding", ok + "Transfer-Encoding: none\r\n\r\nx", "x"},
        {"an empty Transfer-Encoding", ok + "Transfer-Encoding:\r\n\r\nx", "x"},
        {"extensions", chunked + "9;a=b;c\r\ndata: x\n\n\r\n0;z\r\n\r\n", "data: x\n\n"},
        {"trailers", chunked + "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n", "x"},
        {"leading zeros", chunked + "0001\r\nx\r\n000\r\n\r\n", "x"},
        {"interim responses",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + chunked +
             chunks,
         "data: x\n\n"},
        {"a field of 20 KB", ok + "X: " + std::string(20'000, 'x') + "\r\n\r\nx", "x"},
        {"a reason of 20 KB", "HTTP/1.1 200 " + std::string(20'000, 'x') + "\r\n\r\nx", "x"},
        {"percent signs", ok + "X: %0d%0aTransfer-Encoding:%20chunked\r\n\r\nx", "x"},
        {"a folded line", ok + "A: b\r\n c\r\n\r\nx", "x"},
        {"a folded coding", ok + "Transfer-Encoding:\r\n\tchunked\r\n\r\n" + chunks, "data: x\n\n"},
    };
    for (const auto& row : rows) {
        for (const std::size_t step : {1U, 2U, 7U, 65536U}) {
            if (step < 7 && row.wire.size() > 1000) continue;
            INFO(row.what << ", " << step << " bytes at a time");
            const auto got = received(row.wire, step);
            CHECK(got.error == "");
            CHECK(got.body == row.body);
        }
    }
}

TEST_CASE("ClientResponse refuses framings that are broken or ambiguous") {
    using sse::Reason;
    struct Row {
        const char* what;
        std::string wire, error;
        Reason reason = Reason::unspecified;
    };
    const Row rows[] = {
        {"size -2", chunked + "-2\r\n", "a chunk size is not a hexadecimal number"},
        {"size 0x9", chunked + "0x9\r\ndata: x\n\n\r\n",
         "a chunk size is not a hexadecimal number"},
        {"no size", chunked + "\r\n", "a chunk size is not a hexadecimal number"},
        {"a huge size", chunked + "FFFFFFFFFFFFFFFF\r\n", "a chunk size has too many digits"},
        {"longer than its size", chunked + "3\r\ndata: x\n\n\r\n",
         "a chunk is longer than its size"},
        {"a cut chunk", chunked + "9\r\ndata",
         "the server closed the connection before the last chunk"},
        {"a short body", ok + "Content-Length: 20\r\n\r\ndata: x\n\n",
         "the server closed the connection 11 bytes before the end"},
        {"two lengths", ok + "Content-Length: 9\r\nContent-Length: 10\r\n\r\n",
         "two Content-Length values that differ", Reason::bad_framing},
        {"length -1", ok + "Content-Length: -1\r\n\r\n", "Content-Length is \"-1\"",
         Reason::bad_framing},
        {"length 10^30", ok + "Content-Length: 1" + std::string(30, '0') + "\r\n\r\n",
         "Content-Length is \"1000", Reason::bad_framing},
        {"gzip, chunked", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
         "Transfer-Encoding is \"gzip\"", Reason::bad_framing},
        {"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
         "Transfer-Encoding chunked twice", Reason::chunked_twice},
        {"chunked twice in a list", ok + "Transfer-Encoding: chunked, chunked\r\n\r\n",
         "Transfer-Encoding chunked twice", Reason::chunked_twice},
        {"nothing", "", "the server closed the connection without a response",
         Reason::connection_closed},
        {"half a head", ok, "the server closed the connection within the response head",
         Reason::connection_closed},
        {"not HTTP", "220 mail.example ESMTP\r\n",
         "h:80 does not speak HTTP/1; it sent \"220 mail.example ESMTP\"", Reason::not_http},
        {"not HTTP, no line end", "SSH-2.0-x", "it sent \"SSH-2.0-x\"", Reason::not_http},
        {"HTTP/0.9", "data: x\n\n", "it sent \"data: x\"", Reason::not_http},
        {"a status line of HTTP/2", "HTTP/2 200\r\n\r\n", "it sent \"HTTP/2 200\"",
         Reason::not_http},
        {"status 20", "HTTP/1.1 20\r\n\r\n", "does not speak HTTP/1", Reason::not_http},
        {"status -1", "HTTP/1.1 -10 x\r\n\r\n", "does not speak HTTP/1", Reason::not_http},
        {"escapes", "\x1b[2J\r\n\r\n", "it sent \"\\x1b[2J\"", Reason::not_http},
        {"SETTINGS of HTTP/2", std::string("\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64", 15),
         "the server speaks only HTTP/2", Reason::http2_only},
        {"GOAWAY of HTTP/2", std::string("\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\1", 17),
         "the server speaks only HTTP/2", Reason::http2_only},
        {"no colon", ok + "nonsense\r\n\r\n", "line 3 of the head has no colon"},
        {"a fold behind the status line", "HTTP/1.1 200 OK\r\n A: b\r\n\r\n",
         "line 2 of the head is folded"},
        {"NUL", ok + std::string("A: b\0c\r\n\r\n", 10), "line 3 of the head"},
        {"a space before the colon", ok + "A : b\r\n\r\n", "line 3 of the head"},
    };
    for (const auto& row : rows) {
        for (const std::size_t step : {1U, 5U, 65536U}) {
            INFO(row.what << ", " << step << " bytes at a time");
            const auto got = received(row.wire, step);
            // What is not HTTP is quoted as far as it was read.
            const bool partial = row.reason == Reason::not_http && step < 65536;
            CHECK_THAT(got.error,
                       ContainsSubstring(partial ? "h:80 does not speak HTTP/1" : row.error));
            CHECK(got.reason == row.reason);
            CHECK(got.code == sse::Errc::receive);
        }
    }
}

TEST_CASE("the head of a response is bounded, interim responses included") {
    std::string interim;
    while (interim.size() < 70'000) interim += "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n";
    for (const auto& wire : {ok + "X: " + std::string(70'000, 'x'),
                             "HTTP/1.1 200 " + std::string(70'000, 'x'), interim}) {
        const auto got = received(wire, 4096);
        CHECK(got.error == "the response head is larger than 65536 bytes");
        CHECK(got.reason == sse::Reason::head_too_large);
        CHECK(got.code == sse::Errc::too_large);
    }
}

TEST_CASE("a folded line is shown as a part of its field") {
    CHECK(received("HTTP/1.1 200 OK\nA: b\n  c\n\t d\n\n", 4).heads ==
          "HTTP/1.1 200 OK\r\nA: b c d\r\n\r\n");
}

TEST_CASE("ClientResponse knows how a body ended") {
    using sse::BodyEnd;
    CHECK(received(chunked + chunks, 100).end == BodyEnd::complete);
    CHECK(received(ok + "Content-Length: 1\r\n\r\nx", 100).end == BodyEnd::complete);
    CHECK(received(ok + "\r\nx", 100).end == BodyEnd::closed);
    CHECK(received(ok + "Transfer-Encoding: identity\r\n\r\nx", 100).end == BodyEnd::closed);
    CHECK(received("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", 100).end == BodyEnd::complete);
    CHECK(received(ok + "Content-Length: 5\r\n\r\n", 100, "HEAD").end == BodyEnd::complete);
}

TEST_CASE("names in Content-Encoding that are no coding are ignored, and codings are not") {
    struct Row {
        const char *fields, *coding, *ignored;
    };
    const Row rows[] = {
        {"", "", ""},
        {"Content-Encoding: identity\r\n", "", ""},
        {"Content-Encoding:\r\n", "", ""},
        {"Content-Encoding: none\r\n", "", "none"},
        {"Content-Encoding: None\r\n", "", "None"},
        {"Content-Encoding: utf-8\r\n", "", "utf-8"},
        {"Content-Encoding: none, identity\r\n", "", "none"},
        {"Content-Encoding: none\r\nContent-Encoding: chunked\r\n", "", "none, chunked"},
        {"Content-Encoding: zstd\r\n", "zstd", ""},
        {"Content-Encoding: none, zstd\r\n", "zstd", "none"},
        {"Content-Encoding: gzip, br\r\n", "gzip, br", ""},
        {"Content-Encoding: identity, GZIP\r\n", "", ""}, // decoded
    };
    for (const auto& row : rows) {
        INFO(row.fields);
        const auto got = received(ok + row.fields + "Content-Length: 0\r\n\r\n", 100);
        CHECK(got.coding == row.coding);
        CHECK(got.ignored == row.ignored);
    }
}

TEST_CASE("bytes have the time of their arrival, however late they are read") {
    const int listener = sse::make_socket(AF_INET, SOCK_STREAM, false);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener, generic, length) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, generic, &length) == 0);
    const int client = sse::make_socket(AF_INET, SOCK_STREAM, false);
    REQUIRE(::connect(client, generic, length) == 0);
    const int server = ::accept(listener, nullptr, nullptr);
    const bool has_times = sse::enable_arrival_times(client);

    sse::Interrupt interrupt;
    sse::ClientConnection connection(client, "h:80", interrupt);
    connection.use_arrival_times();
    using Clock = sse::Interrupt::Clock;
    bool exact = false;
    // The kernel begins to note times a moment after it was asked to.
    for (const auto end = Clock::now() + std::chrono::seconds(30); !exact && Clock::now() < end;) {
        const auto sent = Clock::now();
        REQUIRE(::send(server, "x", 1, 0) == 1);
        REQUIRE(connection.wait_readable(std::nullopt));
        const auto there = Clock::now();
        while (Clock::now() < there + std::chrono::milliseconds(2)) {
        }
        char byte = 0;
        REQUIRE(connection.try_read(&byte, 1) == 1U);
        CHECK(connection.arrived() <= Clock::now());
        // Unless this thread slept between its looks at the two clocks.
        exact = connection.arrived() < there + std::chrono::milliseconds(1) &&
                connection.arrived() > sent - std::chrono::milliseconds(1);
    }
    CHECK(exact == has_times);
    ::close(server);
    ::close(listener);
}
