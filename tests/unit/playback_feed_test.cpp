#include "handlers/playback_feed.hpp"

#include "handlers/playback_handler.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary.hpp"

#include <array>

using namespace std::chrono_literals;
using Clock = sse::Feed::Clock;

namespace {

const Clock::time_point start{100s};
const std::string head = "{\"sse\":1}\n";

/// What a feed gives by `now`, all of it taken, at most `most` bytes at a time.
std::string drain(sse::Feed& feed, Clock::time_point now, std::size_t most = 1 << 20) {
    std::string out;
    std::array<std::string_view, 8> views;
    while (const auto count = feed.gather(now, views)) {
        std::size_t room = most;
        for (std::size_t i = 0; i < count && room > 0; ++i) {
            const auto piece = views[i].substr(0, room);
            out += piece;
            room -= piece.size();
        }
        feed.consume(most - room);
    }
    return out;
}

struct ReceivedEvent {
    int played = 0;
    std::string failed;
    sse::PlaybackReports reports{[this] { ++played; },
                                 [this](const sse::Error& e) { failed = e.what(); }};
};

sse::PlaybackFeed feed_of(const TemporaryFile& file, const ReceivedEvent& received,
                          sse::Framing framing) {
    return {std::make_unique<sse::Playback>(file.path(), sse::PlaybackOptions{}), framing,
            sse::PlaybackFaults{}, received.reports};
}

sse::Request request(std::string method, const std::string& fields = "", std::string query = "") {
    sse::Request it;
    it.method = std::move(method);
    it.path = "/any";
    it.query = std::move(query);
    it.head = sse::Head::parse("GET / HTTP/1.1\r\n" + fields + "\r\n");
    it.framing = sse::Framing::close_delimited;
    return it;
}

std::string field(const sse::Response& response, std::string_view name) {
    std::string out;
    for (const auto& [n, value] : response.headers) {
        if (sse::same_name(n, name)) out += value + ";";
    }
    return out;
}

const std::string three = head + R"({"t":1,"id":"1","data":"a"})"
                                 "\n"
                                 R"({"t":2,"id":"2","data":"b"})"
                                 "\n"
                                 R"({"t":2.5,"close":"eof"})"
                                 "\n";

} // namespace

TEST_CASE("a feed sends each event when it is due, and ends at the recorded end") {
    const TemporaryFile file(three);
    const ReceivedEvent received;
    auto feed = feed_of(file, received, sse::Framing::close_delimited);
    CHECK(drain(feed, start).empty());
    CHECK(feed.due() == start + 1s);
    CHECK(drain(feed, start + 999ms).empty());
    CHECK(drain(feed, start + 1s) == "data: a\nid: 1\n\n");
    CHECK(feed.due() == start + 2s);
    CHECK(drain(feed, start + 2400ms) == "data: b\nid: 2\n\n");
    CHECK_FALSE(feed.ended());
    CHECK(feed.due() == start + 2500ms);
    CHECK(drain(feed, start + 3s).empty());
    CHECK(feed.ended());
    CHECK(drain(feed, start + 3s).empty());
    CHECK(received.played == 1);
    CHECK(feed.cut() == sse::Feed::Cut::no);
}

TEST_CASE("what is late comes at once, and does not shift what follows") {
    const TemporaryFile file(three);
    const ReceivedEvent received;
    auto feed = feed_of(file, received, sse::Framing::close_delimited);
    drain(feed, start);
    CHECK(drain(feed, start + 1900ms) == "data: a\nid: 1\n\n");
    CHECK(feed.due() == start + 2s);
}

TEST_CASE("chunks: what is due together is one, recorded reads each their own") {
    const TemporaryFile file(head + R"({"t":0,"data":"a"})"
                                    "\n"
                                    R"({"t":0,"data":"b"})"
                                    "\n"
                                    R"({"t":0,"bytes":"data: c"})"
                                    "\n"
                                    R"({"t":0,"bytes":"\n\n"})"
                                    "\n"
                                    R"({"t":0,"data":"d"})");
    const ReceivedEvent received;
    auto feed = feed_of(file, received, sse::Framing::chunked);
    CHECK(drain(feed, start) ==
          "12\r\ndata: a\n\ndata: b\n\n\r\n7\r\ndata: c\r\n2\r\n\n\n\r\n9\r\ndata: d\n\n\r\n");
    CHECK(feed.ended());
}

TEST_CASE("recorded reads are sent whole, whatever the size of their event") {
    const std::string read(4 << 20, 'x');
    auto text = head + "{\"t\":0,\"bytes\":\"data: \"}\n";
    for (int i = 0; i < 5; ++i) text += "{\"t\":0,\"bytes\":\"" + read + "\"}\n";
    const TemporaryFile file(text + "{\"t\":0,\"bytes\":\"\\n\\ndata: b\\n\\n\"}\n");
    const ReceivedEvent received;
    auto feed = feed_of(file, received, sse::Framing::close_delimited);
    std::string sent; // reading pauses when its time on the loop is used up
    while (!feed.ended() && feed.due() <= start) sent += drain(feed, start, 8 << 20);
    CHECK(sent.size() == 6 + 5 * read.size() + 11);
    CHECK(received.failed.empty());
    CHECK(feed.ended());
    CHECK(feed.counts().events == 2);
}

TEST_CASE("a client that takes a byte at a time gets the same bytes") {
    const TemporaryFile file(three);
    const ReceivedEvent received;
    auto whole = feed_of(file, received, sse::Framing::chunked);
    auto slow = feed_of(file, received, sse::Framing::chunked);
    drain(whole, start), drain(slow, start);
    CHECK(drain(slow, start + 5s, 1) == drain(whole, start + 5s));
    CHECK(slow.ended());
}

TEST_CASE("a client that is never done with what there is gets the same bytes") {
    auto text = head;
    for (int i = 0; i < 3000; ++i)
        text += "{\"t\":0,\"id\":\"" + std::to_string(i) + "\",\"data\":\"" +
                std::string(300, 'x') + "\"}\n";
    const TemporaryFile file(text);
    const ReceivedEvent received;
    auto whole = feed_of(file, received, sse::Framing::chunked);
    auto behind = feed_of(file, received, sse::Framing::chunked);
    std::string out;
    std::array<std::string_view, 1> views;
    while (behind.gather(start, views) == 1 && views[0].size() > 30'000) {
        const auto taken = views[0].size() - 25'000;
        out += views[0].substr(0, taken);
        behind.consume(taken);
        CHECK(behind.counts().events <= out.size() / 300);
    }
    out += drain(behind, start);
    // Both have every event; where chunks begin depends on how much was read at once.
    const auto events = [](const std::string& sent) {
        std::size_t count = 0;
        for (auto at = sent.find("id: "); at != sent.npos; at = sent.find("id: ", at + 1)) {
            if (sent.compare(at + 4, std::to_string(count).size(), std::to_string(count)) == 0)
                ++count;
        }
        return count;
    };
    CHECK(events(out) == 3000);
    CHECK(events(drain(whole, start)) == 3000);
    CHECK(behind.counts().events == 3000);
    CHECK(behind.ended());
}

TEST_CASE("a client that takes nothing stops the reading") {
    auto text = head;
    for (int i = 0; i < 1000; ++i)
        text += "{\"t\":0,\"data\":\"" + std::string(1000, 'x') + "\"}\n";
    const TemporaryFile file(text);
    const ReceivedEvent received;
    auto feed = feed_of(file, received, sse::Framing::close_delimited);
    std::array<std::string_view, 1> views;
    for (int i = 0; i < 10; ++i) feed.gather(start, views);
    CHECK(views[0].size() < sse::PlaybackFeed::max_waiting_bytes + 2000);
    CHECK(drain(feed, start).size() == 1008 * 1000);
}

TEST_CASE("a feed that finds nothing to play gives the loop back, and goes on at once") {
    auto filtered = head, closed = head;
    for (int i = 0; i < 1000; ++i) {
        filtered += "{\"t\":0,\"data\":\"x\"}\n";
        closed += "{\"t\":0,\"close\":\"eof\"}\n";
    }
    for (const auto& text : {filtered, closed}) {
        const TemporaryFile file(text + "{\"t\":0,\"data\":\"y\"}\n");
        const ReceivedEvent received;
        sse::PlaybackOptions options;
        options.wanted = [](const sse::EventView& event) { return event.data == "y"; };
        sse::PlaybackFeed feed(std::make_unique<sse::Playback>(file.path(), options),
                               sse::Framing::close_delimited, {}, received.reports);
        std::array<std::string_view, 1> views;
        int looks = 0;
        for (; feed.gather(start, views) == 0; ++looks) {
            REQUIRE(looks < 10);
            CHECK_FALSE(feed.ended());
            CHECK(feed.due() <= start);
        }
        CHECK(looks == 3);
        CHECK(views[0] == "data: y\n\n");
        CHECK(drain(feed, start) == "data: y\n\n");
        CHECK(feed.ended());
    }
}

TEST_CASE("a bad line cuts the stream after what was before it, and is told") {
    const TemporaryFile file(head + "{\"t\":0,\"data\":\"a\"}\nx\n{\"t\":0,\"data\":\"b\"}\n");
    const ReceivedEvent received;
    auto feed = feed_of(file, received, sse::Framing::close_delimited);
    CHECK(drain(feed, start) == "data: a\n\n");
    CHECK(feed.cut() == sse::Feed::Cut::close);
    CHECK(received.failed == file.path() + ":3: not a JSON object");
    CHECK(received.played == 0);
}

TEST_CASE("the recorded head is sent, but for what is not the stream's") {
    const TemporaryFile file(
        R"({"sse":1,"request":{"method":"POST","headers":{}},"response":{"status":202,"headers":{)"
        R"("Content-Type":"text/event-stream; charset=utf-8","X-Request-Id":"7","X-Api-Token":"***",)"
        R"("Transfer-Encoding":"chunked","Content-Encoding":"gzip","Set-Cookie":["***","***"],"Connection":"close",)"
        R"("Access-Control-Allow-Origin":"*","Cache-Control":"no-cache","X-Own":"recorded"}}})"
        "\n");
    sse::PlaybackHandlerOptions options;
    options.routes.any_path = true;
    options.headers = {{"x-own", "mine"}};
    sse::PlaybackHandler handler({file.path()}, options);
    for (const auto* method : {"GET", "POST", "HEAD"}) {
        const auto response = handler.respond(request(method), 0);
        CHECK(response.status == 202);
        CHECK(response.content_type == "text/event-stream; charset=utf-8");
        CHECK(field(response, "X-Request-Id") == "7;");
        CHECK(field(response, "X-Own") == "mine;");
        CHECK(field(response, "Cache-Control") == "no-cache;");
        CHECK(field(response, "X-Accel-Buffering") == "no;");
        CHECK(response.headers.size() == 4);
        CHECK((response.feed == nullptr) == (std::string(method) == "HEAD"));
    }
    const auto refused = handler.respond(request("PUT"), 0);
    CHECK(refused.status == 405);
    CHECK(field(refused, "Allow") == "GET, HEAD, POST;");
    CHECK(refused.body == "recorded methods of this path: GET, HEAD, POST\n");
}

TEST_CASE("a client goes on after its last event id, from either place that can hold it") {
    const TemporaryFile file(three);
    sse::PlaybackHandlerOptions options;
    options.routes.any_path = true;
    options.search_time = std::chrono::hours(1); // however slow the machine is
    sse::PlaybackHandler handler({file.path()}, options);
    struct Row {
        const char *fields, *query, *stream, *gap;
        int status;
    };
    const Row rows[] = {
        {"", "", "data: a\nid: 1\n\ndata: b\nid: 2\n\n", "", 200},
        {"Last-Event-ID: 1\r\n", "", "data: b\nid: 2\n\n", "", 200},
        {"", "x=1&last_event_id=%31", "data: b\nid: 2\n\n", "", 200},
        {"Last-Event-ID: 1\r\n", "last_event_id=9", "data: b\nid: 2\n\n", "", 200},
        {"Last-Event-ID: 9\r\n", "",
         ": gap: the recording does not contain the last event ID; it starts from the "
         "beginning\n\ndata: a\nid: 1\n\ndata: b\nid: 2\n\n",
         "true;", 200},
        {"Last-Event-ID: 2\r\n", "", "", "", 204},
    };
    for (const auto& row : rows) {
        INFO(row.fields << row.query);
        const auto response = handler.respond(request("GET", row.fields, row.query), 0);
        CHECK(response.status == row.status);
        CHECK(field(response, "Sse-Gap") == row.gap);
        if (!response.feed) continue;
        const auto first = drain(*response.feed, start);
        CHECK(first + drain(*response.feed, start + 5s) == row.stream);
        CHECK(response.feed->ended());
    }
}

TEST_CASE("a search that takes long goes on behind the head") {
    auto text = head;
    for (int i = 0; i < 1000; ++i)
        text += "{\"t\":0,\"id\":\"no " + std::to_string(i) + "\",\"data\":\"\"}\n";
    const TemporaryFile file(text);
    sse::PlaybackHandlerOptions options;
    options.routes.any_path = true;
    options.search_time = 0ms;
    sse::PlaybackHandler handler({file.path()}, options);
    for (const auto* id : {"no 997", "none"}) {
        const auto response =
            handler.respond(request("GET", std::string("Last-Event-ID: ") + id + "\r\n"), 0);
        REQUIRE(response.feed != nullptr);
        std::string out;
        for (int i = 0; i < 1000 && !response.feed->ended(); ++i) {
            CHECK(response.feed->due());
            out += drain(*response.feed, Clock::now());
        }
        if (std::string(id) == "none")
            CHECK(out.starts_with(": gap: the recording does not contain"));
        else CHECK(out == "data: \nid: no 998\n\ndata: \nid: no 999\n\n");
    }
}
