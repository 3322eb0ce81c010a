#include "unit/catch2.hpp"
#include "unit/connection_rig.hpp"

using namespace std::chrono_literals;
using sse::EndReason;
using test::ConnectionRig;
using test::request;
using test::short_response;

namespace {

std::size_t count(const std::string& text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size()))
        ++found;
    return found;
}

/// Fills both buffers of the client's socket with stream data, so that the server waits for it.
void stop_reading(ConnectionRig& rig) {
    rig.handler.script->pending.assign(4 << 20, 'x');
    rig.handler.script->wake();
    rig.run();
    REQUIRE(!rig.handler.script->pending.empty());
}

} // namespace

TEST_CASE("a connection serves one request after another, and closes when it is asked to") {
    ConnectionRig rig;
    const auto client = rig.connect();
    CHECK(short_response(rig.exchange(client, request("GET /hello"))) == "200 hello\n");
    CHECK(short_response(rig.exchange(
              client, request("POST /echo", "Content-Length: 2\r\n", "hi"))) == "200 hi");
    CHECK(short_response(rig.exchange(client, request("GET /hello", "Connection: close\r\n"))) ==
          "200 hello\n|");
    const auto old = rig.connect();
    CHECK(short_response(rig.exchange(old, "GET /hello HTTP/1.0\r\n\r\n")) == "200 hello\n|");
}

TEST_CASE("a request may be cut anywhere") {
    const auto wire =
        request("POST /echo", "Transfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n");
    for (std::size_t cut = 1; cut < wire.size(); ++cut) {
        ConnectionRig rig;
        const auto client = rig.connect();
        CHECK(rig.exchange(client, wire.substr(0, cut)).empty());
        CHECK(short_response(rig.exchange(client, wire.substr(cut))) == "200 hi");
    }
}

TEST_CASE("requests that are sent ahead are answered in order, however many") {
    ConnectionRig rig;
    const auto client = rig.connect();
    std::string wire;
    for (int i = 0; i < 200; ++i) wire += request("GET /hello");
    wire += request("POST /echo", "Content-Length: 4\r\n", "last");
    const auto got = rig.exchange(client, wire);
    CHECK(count(got, "HTTP/1.1 200") == 201);
    CHECK(got.ends_with("last"));
}

TEST_CASE("what is refused at the end of its head is closed, and its body is never asked for") {
    struct Row {
        const char *what, *line, *fields;
        std::string response;
    };
    const Row rows[] = {
        {"no token", "POST /echo", "Content-Length: 9\r\n", "401 "},
        {"no token, and waiting", "POST /echo", "Content-Length: 9\r\nExpect: 100-continue\r\n",
         "401 "},
        {"no token, in chunks", "POST /echo", "Transfer-Encoding: chunked\r\n", "401 "},
        {"no such path", "POST /x?access_token=t", "Content-Length: 9\r\n", "404 "},
        {"too long", "POST /echo?access_token=t", "Content-Length: 1048577\r\n", "413 "},
        {"too long, and waiting", "POST /echo?access_token=t",
         "Content-Length: 1048577\r\nExpect: 100-continue\r\n", "413 "},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        sse::ServerOptions options;
        options.guard.publish_tokens.add("t");
        ConnectionRig rig(options);
        const auto client = rig.connect();
        const auto got = rig.exchange(client, request(row.line, row.fields));
        CHECK(short_response(got).starts_with(row.response));
        CHECK(got.ends_with('|'));
        CHECK(got.find("100 Continue") == got.npos);
        CHECK(rig.handler.requests.empty());
        CHECK(rig.bodies.used() == 0);
        client.send(std::string(1 << 20, 'x')); // a body that is on its way does no harm
        rig.run();
        CHECK(rig.handler.requests.empty());
    }
}

TEST_CASE("a refused request closes its connection although it may be kept open") {
    sse::ServerOptions options;
    options.guard.read_tokens.add("t");
    ConnectionRig rig(options);
    CHECK(rig.exchange(rig.connect(), request("GET /hello")).ends_with('|'));
    const auto client = rig.connect(); // 404 is no refusal of the client
    CHECK(short_response(rig.exchange(client, request("GET /x?access_token=t"))) ==
          "404 no such path\n");
}

TEST_CASE("100 Continue is sent once the head is accepted") {
    ConnectionRig rig;
    const auto client = rig.connect();
    const auto head = request("POST /echo", "Content-Length: 2\r\nExpect: 100-continue\r\n");
    CHECK(rig.exchange(client, head) == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(short_response(rig.exchange(client, "hi")) == "200 hi");
}

TEST_CASE("bodies that are received hold no more memory together than they may") {
    ConnectionRig rig({}, 300'000);
    const auto head = request("POST /echo", "Content-Length: 200000\r\n");
    const auto first = rig.connect(), second = rig.connect();
    CHECK(rig.exchange(first, head + std::string(150'000, 'a')).empty());
    CHECK(rig.bodies.used() >= 150'000);
    const auto refused = rig.exchange(second, head + std::string(190'000, 'b'));
    CHECK(refused.starts_with("HTTP/1.1 503"));
    CHECK(refused.find("Retry-After: ") != refused.npos);
    CHECK(rig.bodies.used() <= 300'000);
    CHECK(rig.exchange(first, std::string(50'000, 'a')).starts_with("HTTP/1.1 200"));
    CHECK(rig.bodies.used() == 0);
}

TEST_CASE("a connection beyond the limits is told so") {
    ConnectionRig rig;
    const auto refused = [&](sse::Refusal reason) {
        return rig.exchange(rig.connect(reason), request("GET /hello"));
    };
    CHECK(short_response(refused(sse::Refusal::clients)) == "503 too many clients\n|");
    CHECK(short_response(refused(sse::Refusal::address)) ==
          "503 too many clients from this address\n|");
    CHECK(refused(sse::Refusal::descriptors).find("\r\nRetry-After: ") != std::string::npos);
    rig.options.busy = sse::Busy::retry;
    const auto later = refused(sse::Refusal::clients);
    CHECK(later.starts_with("HTTP/1.1 200"));
    CHECK(later.find("Content-Type: text/event-stream") != later.npos);
    CHECK(short_response(later).starts_with("200 retry: "));
    CHECK(later.ends_with("\n: busy: too many clients\n\n|"));
    CHECK(rig.handler.requests.empty());
    const auto post = rig.exchange(rig.connect(sse::Refusal::clients),
                                   request("POST /echo", "Content-Length: 1\r\n", "x"));
    CHECK(post.starts_with("HTTP/1.1 503"));
}

TEST_CASE("timeouts of a request, by a clock that is passed in") {
    struct Row {
        const char* what;
        std::string sent;
        std::chrono::seconds before, after;
        std::string response;
    };
    const Row rows[] = {
        {"nothing is sent", "", 9s, 11s, "|"},
        {"half a head", "GET / HT", 9s, 11s, "408 the request took too long\n|"},
        {"half a body", request("POST /echo", "Content-Length: 2\r\n", "h"), 29s, 31s,
         "408 the request took too long\n|"},
        {"idle between requests", request("GET /hello"), 74s, 76s, "|"},
        {"half a next head", request("GET /hello") + "GET", 9s, 11s,
         "408 the request took too long\n|"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        ConnectionRig rig;
        const auto started = ConnectionRig::Clock::now();
        const auto client = rig.connect();
        rig.exchange(client, row.sent);
        client.connection.lock()->tick(started + row.before);
        rig.run();
        CHECK(client.read().empty());
        client.tick(row.after);
        rig.run();
        CHECK(short_response(client.read()) == row.response);
    }
}

TEST_CASE("a stream sends its head at once, then what the feed gives, then its end") {
    ConnectionRig rig;
    const auto client = rig.connect();
    const auto head = rig.exchange(client, request("GET /stream"));
    CHECK(head.starts_with("HTTP/1.1 200"));
    CHECK(head.find("Transfer-Encoding: chunked\r\n") != head.npos);
    CHECK(head.ends_with("\r\n\r\n"));
    auto& script = *rig.handler.script;
    script.pending = "4\r\n:a\n\n\r\n";
    script.wake();
    CHECK(rig.exchange(client, "") == "4\r\n:a\n\n\r\n");
    client.tick(1s);
    CHECK(script.ticks == 1);
    script.ended = true;
    script.wake();
    CHECK(rig.exchange(client, "") == "0\r\n\r\n|");
    CHECK(rig.ended(EndReason::stream_ended) == 1);
    CHECK(script.destroyed);

    const auto old = rig.connect();
    rig.exchange(old, "GET /stream HTTP/1.0\r\n\r\n");
    rig.handler.script->pending = ":a\n\n";
    rig.handler.script->ended = true;
    rig.handler.script->wake();
    CHECK(rig.exchange(old, "") == ":a\n\n|");
}

TEST_CASE("a feed that is cut ends its connection without an end of the body") {
    ConnectionRig rig;
    const auto client = rig.connect();
    rig.exchange(client, request("GET /stream"));
    rig.handler.script->cut = sse::Feed::Cut::close;
    rig.handler.script->wake();
    CHECK(rig.exchange(client, "") == "|");
    CHECK(rig.ended(EndReason::aborted) == 1);
}

TEST_CASE("a client that accepts nothing is closed after the stall timeout, a slow one is not") {
    ConnectionRig rig;
    const auto client = rig.connect();
    rig.exchange(client, request("GET /stream"));
    stop_reading(rig);
    client.tick(1s);
    client.tick(29s);
    CHECK(!client.connection.expired());
    CHECK(!client.read().empty()); // it reads, so that it has more time
    rig.run();
    client.tick(32s);
    CHECK(!client.connection.expired());
    client.tick(61s);
    rig.run();
    CHECK(!client.connection.expired());
    client.tick(63s);
    rig.run();
    CHECK(client.connection.expired());
    CHECK(rig.ended(EndReason::stalled) == 1);
    CHECK(rig.handler.script->destroyed);
}

TEST_CASE("a client that closes or resets is gone, with what it had") {
    ConnectionRig rig;
    for (const char* line : {"", "GET / HT", "GET /hello", "GET /stream"}) {
        INFO(line);
        auto client = rig.connect();
        const std::string_view text = line;
        rig.exchange(client, text.starts_with("GET /hello") || text.starts_with("GET /stream")
                                 ? request(line)
                                 : std::string(text));
        client.fd = sse::Descriptor();
        rig.run();
        CHECK(client.connection.expired());
    }
    CHECK(rig.ended(EndReason::client_closed) == 4);
    CHECK(rig.handler.script->destroyed);
    CHECK(rig.loop.counts.streams_opened.get() == rig.loop.counts.streams_closed.get());
}

TEST_CASE("a stream's client that goes on sending is disconnected") {
    ConnectionRig rig;
    const auto client = rig.connect();
    rig.exchange(client, request("GET /stream"));
    rig.exchange(client, std::string(60'000, 'x'));
    CHECK(!client.connection.expired());
    rig.exchange(client, std::string(60'000, 'x'));
    CHECK(client.connection.expired());
}

TEST_CASE("a place is made by those who are idle, then by those who make no haste") {
    ConnectionRig rig;
    auto& lists = rig.loop.waiting;
    const auto now = ConnectionRig::Clock::now();
    CHECK(!lists.evict_one(now + 1h));
    const auto fresh = rig.connect(), idle = rig.connect(), streaming = rig.connect();
    rig.exchange(idle, request("GET /hello"));
    rig.exchange(streaming, request("GET /stream"));
    CHECK(lists.evict_one(now));
    CHECK(idle.read() == "|");
    CHECK(!lists.evict_one(now)); // it may not have had its turn yet
    CHECK(lists.evict_one(now + 1h));
    CHECK(fresh.read() == "|");
    CHECK(!lists.evict_one(now + 1h));
    CHECK(streaming.read().empty());
}

TEST_CASE("a request in parts gives way, too, though its connection was idle before") {
    ConnectionRig rig;
    const auto client = rig.connect();
    rig.exchange(client, request("GET /hello"));
    rig.exchange(client, "GET");
    CHECK(rig.loop.waiting.idle.empty());
    CHECK(rig.loop.waiting.evict_one(ConnectionRig::Clock::now() + 2s));
    CHECK(client.read() == "|");
}

TEST_CASE("a stream ends well at its maximum time, and its client resumes") {
    sse::ServerOptions options;
    options.max_stream_time = 100s;
    ConnectionRig rig(options);
    const auto started = ConnectionRig::Clock::now();
    const auto client = rig.connect();
    rig.exchange(client, request("GET /stream"));
    client.connection.lock()->tick(started + 89s);
    CHECK(client.read().empty());
    client.tick(101s);
    CHECK(rig.exchange(client, "") == "0\r\n\r\n|");
    CHECK(rig.ended(EndReason::expired) == 1);

    const auto slow = rig.connect();
    rig.exchange(slow, request("GET /stream"));
    stop_reading(rig);
    slow.tick(101s); // in the middle of an event
    CHECK(!slow.connection.expired());
    slow.tick(131s);
    rig.run();
    CHECK(slow.connection.expired());
}

TEST_CASE("a server that stops closes what is idle and lets the rest finish") {
    ConnectionRig rig;
    const auto idle = rig.connect(), half = rig.connect(), streaming = rig.connect();
    rig.exchange(idle, request("GET /hello"));
    rig.exchange(half, "GET /hello HTTP/1.1\r\n");
    rig.exchange(streaming, request("GET /stream"));
    rig.loop.drain();
    rig.run();
    CHECK(idle.read() == "|");
    CHECK(short_response(rig.exchange(half, "Host: localhost\r\n\r\n")) == "200 hello\n|");
    CHECK(streaming.read().empty());
    rig.loop.close_all();
    rig.run();
    CHECK(streaming.read() == "|");
    CHECK(rig.ended(EndReason::drained) == 1);
    CHECK(rig.ended(EndReason::aborted) == 1);
}

TEST_CASE("a fast sender does not keep the loop from others") {
    ConnectionRig rig;
    const auto client = rig.connect();
    rig.exchange(client, request("GET /x", "Connection: close\r\n"));
    CHECK(!client.connection.expired());
    client.tick(3s); // the linger
    rig.run();
    CHECK(client.connection.expired());
}
