#include "handlers/channel_handler.hpp"

#include "handlers/admin_handler.hpp"
#include "server/server.hpp"
#include "unit/catch2.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <fmt/format.h>

namespace {

/// A handler of one loop, whose actions run when settle() is called.
struct Site {
    explicit Site(sse::ChannelRouteOptions route = {}, sse::ChannelOptions channel = {},
                  sse::ChannelsOptions options = {})
        : channels(
              channel, 1,
              [this](std::size_t, std::function<void()> action) {
                  actions.push_back(std::move(action));
              },
              options)
        , handler(std::move(route), channels, 1) {
        handler.on_stream_end = [this](bool complete) { complete_streams += complete ? 1 : 0; };
    }
    void settle() {
        for (; !actions.empty(); actions.pop_front()) actions.front()();
    }
    /// Publishes events with the data and ids `first` to `last` on "/".
    void publish(int first, int last) {
        sse::Publisher to(*channels.open("/"));
        for (int i = first; i <= last; ++i) {
            const auto text = std::to_string(i);
            to.add({"message", text, std::string_view(text)});
        }
        to.flush();
        settle();
    }
    sse::Response respond(const std::string& method, const std::string& target,
                          const std::string& fields = "", const std::string& body = "") {
        sse::Request request;
        request.method = method;
        request.target = target;
        const auto mark = std::min(target.find('?'), target.size());
        request.path = target.substr(0, mark);
        request.query = target.substr(std::min(mark + 1, target.size()));
        request.head =
            sse::Head::parse(fmt::format("{} {} HTTP/1.1\r\n{}\r\n", method, target, fields));
        request.body = body;
        request.framing = sse::Framing::close_delimited;
        auto response = handler.respond(request, 0);
        settle();
        return response;
    }

    std::deque<std::function<void()>> actions;
    sse::Channels channels;
    sse::ChannelHandler handler;
    int complete_streams = 0;
};

std::string header(const sse::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return {};
}

/// All that the stream has to send now.
std::string sent(sse::Response& response) {
    std::string all;
    for (;;) {
        std::array<std::string_view, 4> views;
        const auto count = response.feed->gather(sse::Feed::Clock::now(), views);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) {
            all.append(views[i]);
            bytes += views[i].size();
        }
        if (bytes == 0) return all;
        response.feed->consume(bytes);
    }
}

} // namespace

TEST_CASE("a method and a path have a status, an Allow field and a body") {
    struct Row {
        const char *method, *target;
        int status;
        const char* allow;
        bool stream;
    };
    const Row rows[] = {
        {"GET", "/events", 200, "", true},
        {"GET", "/events?x=%0d%0a", 200, "", true},
        {"HEAD", "/events", 200, "", false},
        {"OPTIONS", "/events", 204, "GET, HEAD, OPTIONS", false},
        {"OPTIONS", "*", 204, "GET, HEAD, OPTIONS", false},
        {"GET", "/", 404, "", false},
        {"GET", "/events/", 404, "", false},
        {"GET", "//events", 404, "", false},
        {"HEAD", "/", 404, "", false},
        {"POST", "/", 404, "", false},
        {"POST", "/events", 405, "GET, HEAD, OPTIONS", false},
        {"PUT", "/events", 405, "GET, HEAD, OPTIONS", false},
        {"TRACE", "/events", 405, "GET, HEAD, OPTIONS", false},
        {"BREW", "/events", 405, "GET, HEAD, OPTIONS", false},
        {"get", "/events", 405, "GET, HEAD, OPTIONS", false},
    };
    sse::ChannelRouteOptions route;
    route.path = "/events";
    Site site(route);
    for (const auto& row : rows) {
        INFO(row.method << " " << row.target);
        const auto response = site.respond(row.method, row.target);
        CHECK(response.status == row.status);
        CHECK(header(response, "Allow") == row.allow);
        CHECK((response.feed != nullptr) == row.stream);
        if (row.status == 200) CHECK(response.content_type == "text/event-stream; charset=utf-8");
        if (row.status == 204) CHECK(response.body.empty());
        if (row.status >= 400) CHECK(response.body.ends_with("\n"));
    }
}

TEST_CASE("with publishing, POST is a method that is allowed") {
    sse::ChannelRouteOptions route;
    route.publish = true;
    Site site(route);
    CHECK(header(site.respond("OPTIONS", "/"), "Allow") == "GET, HEAD, OPTIONS, POST");
    CHECK(site.respond("POST", "/", "", "x").status == 201);
    CHECK(site.respond("POST", "/elsewhere", "", "x").status == 404);
}

TEST_CASE("the head of a stream keeps caches and proxies from holding events back") {
    Site site;
    const auto response = site.respond("GET", "/");
    CHECK(header(response, "Cache-Control") == "no-store, no-transform");
    CHECK(header(response, "X-Accel-Buffering") == "no");
    CHECK(header(response, "X-Content-Type-Options") == "nosniff");
    CHECK(header(response, "Vary") == "Accept, Sec-Fetch-Mode");
    auto names = response.headers;
    std::sort(names.begin(), names.end());
    CHECK(std::adjacent_find(names.begin(), names.end(), [](const auto& a, const auto& b) {
              return a.first == b.first;
          }) == names.end());
}

TEST_CASE("a body becomes events, or is refused whole with the reason") {
    struct Row {
        const char *type, *body;
        int status;
        const char* text; ///< of the stream, or in the refusal
    };
    const Row rows[] = {
        {"", "hello", 201, "data: hello\n"},
        {"text/plain; charset=utf-8", "two\nlines", 201, "data: two\ndata: lines\n"},
        {"text/plain; format=flowed; charset=\"US-ASCII\"", "a", 201, "data: a\n"},
        {"text/plain", "", 201, "data: \n"},
        {"application/x-www-form-urlencoded", "a=1&b=2", 201, "data: a=1&b=2\n"},
        {"application/json", R"({"data":"x"})", 201, "data: x\n"},
        {"application/json", R"({"event":"e","data":{"n": 1.10, "big": 12345678901234567890123}})",
         201, "data: {\"n\":1.10,\"big\":12345678901234567890123}\n"},
        {"APPLICATION/JSON", R"({"event":"","data":null})", 201, "data: null\n"},
        {"text/event-stream", "data: 1\n\nevent: b\r\ndata: 2\r\n\r\n", 201, "event: b\n"},
        {"application/json", R"({"data":)", 400, "JSON"},
        {"application/json", "[1]", 400, "not a JSON object"},
        {"application/json", "{}", 400, "neither data"},
        {"application/json", R"({"data":"x","id":"a\nb"})", 400, "id contains LF"},
        {"application/json", R"({"data":"x","event":"a\rdata: y"})", 400, "event type contains CR"},
        {"application/json", R"({"data":"x","id":"a\u0000"})", 400, "id contains NUL"},
        {"application/json", R"({"data":"x","id":"a\fb"})", 400, "0x0C"},
        {"application/json", R"({"data":"x","id":"a\u007f"})", 400, "0x7F"},
        {"application/json", R"({"data":"x","id":"a\tb"})", 201, "id: a\tb\n"},
        {"text/event-stream", "data: x\nid: \x1b[2J\n\n", 400, "0x1B"},
        {"text/event-stream", "data: whole\n\ndata: torn", 400, "event 2"},
        {"text/event-stream", "", 400, "no event"},
        {"image/png", "x", 415, "text/plain"},
        {"text/plain; charset=iso-8859-1", "caf\xe9", 415, "not iso-8859-1"},
        {"application/json; charset=\"UTF-16\"", R"({"data":"x"})", 415, "not UTF-16"},
        {"text/event-stream;charset=latin1", "data: x\n\n", 415, "charset utf-8 or us-ascii"},
    };
    for (const auto& row : rows) {
        INFO(row.type << " " << row.body);
        sse::ChannelRouteOptions route;
        route.publish = true;
        Site site(route);
        auto reader = site.respond("GET", "/");
        const auto fields = *row.type ? fmt::format("Content-Type: {}\r\n", row.type) : "";
        const auto response = site.respond("POST", "/", fields, row.body);
        CHECK(response.status == row.status);
        CHECK_THAT(row.status == 201 ? sent(reader) : response.body, ContainsSubstring(row.text));
        if (row.status != 201) CHECK(sent(reader).find("data") == std::string::npos);
    }
    for (const auto& [coding, status] : {std::pair{"gzip", 415}, {"br", 415}, {"identity", 201}}) {
        sse::ChannelRouteOptions route;
        route.publish = true;
        Site site(route);
        INFO(coding);
        CHECK(site.respond("POST", "/", fmt::format("Content-Encoding: {}\r\n", coding), "x")
                  .status == status);
    }
}

TEST_CASE("a client resumes after its last event id, is told of a gap, or is done") {
    struct Row {
        const char *fields, *target;
        int status;
        bool gap;
        int first; ///< event sent; 0: none
    };
    const Row rows[] = {
        {"", "/", 200, false, 4},
        {"Last-Event-ID: 5\r\n", "/", 200, false, 6},
        {"", "/?x=1&last_event_id=5", 200, false, 6},
        {"", "/?lastEventId=5", 200, false, 6},
        {"", "/?last_event_id=&lastEventId=5", 200, false, 6},
        {"Last-Event-ID: 5\r\n", "/?last_event_id=7", 200, false, 6},
        {"Last-Event-ID: 2\r\n", "/", 200, true, 4},
        {"Last-Event-ID: x\r\n", "/", 200, true, 4},
        {"Last-Event-ID: 8\r\n", "/", 204, false, 0},
        {"", "/?last_event_id=8", 204, false, 0},
    };
    for (const auto& row : rows) {
        INFO(row.fields << row.target);
        sse::ChannelOptions channel;
        channel.history.max_events = 5;
        channel.overflow = sse::Overflow::drop;
        channel.gap_event = "gap";
        Site site({}, channel);
        site.publish(1, 8);
        site.channels.end();
        site.settle();
        {
            auto response = site.respond("GET", row.target, row.fields);
            CHECK(response.status == row.status);
            CHECK(header(response, "Sse-Gap") == (row.gap ? "true" : ""));
            if (row.status == 200) {
                const auto text = sent(response);
                CHECK((text.find(": gap") != text.npos) == row.gap);
                CHECK((text.find("{\"missed\":null}") != text.npos) == row.gap);
                CHECK(text.find(fmt::format("id: {}\n", row.first - 1)) == text.npos);
                CHECK_THAT(text, ContainsSubstring(fmt::format("id: {}\n", row.first)));
                CHECK_THAT(text, ContainsSubstring("id: 8\n"));
            }
        }
        CHECK(site.complete_streams == 1);
    }
}

TEST_CASE("an id is bounded, so that it fits the head of the request that returns it") {
    sse::ChannelRouteOptions route;
    route.publish = true;
    for (const auto& [bytes, status] : {std::pair{4096U, 201}, {4097U, 400}}) {
        Site site(route);
        INFO(bytes);
        const auto body = fmt::format(R"({{"data":"x","id":"{}"}})", std::string(bytes, 'i'));
        const auto response = site.respond("POST", "/", "Content-Type: application/json\r\n", body);
        CHECK(response.status == status);
    }
}

TEST_CASE("an id that is not UTF-8 in the header is read as Latin-1") {
    for (const auto* header : {"\xE9", "\xC3\xA9"}) {
        Site site;
        sse::Publisher to(*site.channels.open("/"));
        to.add({"message", "1", "\xC3\xA9"});
        to.add({"message", "2", "b"});
        to.flush();
        site.settle();
        auto response = site.respond("GET", "/", fmt::format("Last-Event-ID: {}\r\n", header));
        CHECK(::header(response, "Sse-Gap").empty());
        const auto text = sent(response);
        CHECK(text.find("data: 1\n") == text.npos);
        CHECK_THAT(text, ContainsSubstring("data: 2\n"));
    }
}

TEST_CASE("readers of channels without events take no place from publishers") {
    sse::ChannelRouteOptions route;
    route.channels = route.publish = true;
    sse::ChannelsOptions options;
    options.max_channels = 3;
    Site site(route, {}, options);
    std::vector<sse::Response> readers;
    for (const auto* path : {"/1", "/2", "/3"}) readers.push_back(site.respond("GET", path));
    CHECK(site.respond("GET", "/4").status == 503);
    CHECK(site.respond("POST", "/a", "", "x").status == 201);
    CHECK(site.respond("POST", "/b", "", "x").status == 201);
    CHECK(site.respond("POST", "/1", "", "for 1").status == 201);
    CHECK(site.respond("POST", "/c", "", "x").status == 503);
    CHECK(site.respond("POST", "/2", "", "x").status == 503);
    CHECK(site.respond("POST", "/1", "", "more").status == 201);
    CHECK_THAT(sent(readers[0]), ContainsSubstring("data: for 1\n"));
}

TEST_CASE("with PublishAs::data any body is the data of one event") {
    sse::ChannelRouteOptions route;
    route.publish = true;
    route.publish_as = sse::PublishAs::data;
    Site site(route);
    for (const auto* type : {"application/json", "text/event-stream", "image/png"}) {
        const auto fields = fmt::format("Content-Type: {}\r\n", type);
        CHECK(site.respond("POST", "/", fields, R"({"hook":[1]})").status == 201);
    }
    auto response = site.respond("GET", "/");
    const auto text = sent(response);
    std::size_t events = 0;
    for (auto at = text.find("data: {\"hook\":[1]}\nid: "); at != text.npos;
         at = text.find("data: {\"hook\":[1]}\nid: ", at + 1)) {
        ++events;
    }
    CHECK(events == 3);
}

TEST_CASE("a stream begins with the ID to resume with, or with a comment") {
    struct Row {
        sse::Start start;
        int published;
        std::string last_id, begins;
    };
    using At = sse::Start::At;
    for (const auto& row :
         {Row{{At::newest, 0}, 3, "", "id: 3\n\n"}, Row{{At::last, 1}, 3, "", "id: 2\n\ndata: 3\n"},
          Row{{At::last, 9}, 3, "", "id: START\n\ndata: 1\n"},
          Row{{At::newest, 0}, 0, "", "id: START\n\n"}, Row{{At::newest, 0}, 3, "3", ":\n\n"},
          Row{{At::newest, 0}, 3, "2", "data: 3\n"}, Row{{}, 3, "", "data: 1\n"},
          Row{{}, 0, "", ":\n\n"}}) {
        CAPTURE(row.begins, row.published, row.last_id);
        sse::ChannelOptions options;
        options.start = row.start;
        Site site({}, options);
        site.publish(1, row.published);
        const auto fields =
            row.last_id.empty() ? "" : fmt::format("Last-Event-ID: {}\r\n", row.last_id);
        auto response = site.respond("GET", "/", fields);
        auto begins = row.begins;
        if (const auto at = begins.find("START"); at != begins.npos)
            begins.replace(at, 5, site.channels.open("/")->start_id());
        CHECK(sent(response).substr(0, begins.size()) == begins);
    }
}

TEST_CASE("several channels in one stream, each event with an ID that resumes all") {
    sse::ChannelRouteOptions route;
    route.channels = true;
    Site site(route);
    const auto publish = [&](const std::string& channel, const std::string& id) {
        sse::Publisher to(*site.channels.open(channel));
        to.add({"message", id, std::string_view(id)});
        to.flush();
        site.settle();
    };
    publish("/a", "1");
    publish("/b b", "x&y");
    auto response = site.respond("GET", "/?channel=a&channel=/b%20b&channel=a");
    const auto a = site.channels.open("/a")->start_id(), b = site.channels.open("/b b")->start_id();
    CHECK(sent(response) == fmt::format("id: a={}&%2Fb%20b={}\n\n"
                                        "data: 1\nid: a=1&%2Fb%20b={}\n\n"
                                        "data: x&y\nid: %2Fb%20b=x%26y&a=1\n\n",
                                        a, b, b));
    publish("/a", "2");
    CHECK(sent(response) == "data: 2\nid: a=2&%2Fb%20b=x%26y\n\n");
}

TEST_CASE("a stream of several channels goes on in each of them") {
    sse::ChannelRouteOptions route;
    route.channels = true;
    sse::ChannelOptions options;
    options.history.max_events = 3;
    options.overflow = sse::Overflow::drop;
    struct Row {
        std::string target, last_id;
        int status;
        bool gap;
        std::string data; ///< of the events, in order
    };
    for (const auto& row : {
             Row{"/s/?channel=a&channel=b", "", 200, false, "a3a4a5b1b2"},
             Row{"/s?channel=a&channel=b", "a=a4&b=b1", 200, false, "a5b2"},
             Row{"/s/?channel=b&channel=a", "a=a4&b=b1", 200, false, "b2a5"},
             Row{"/s/?channel=a&channel=b", "b=b2", 200, false, "a3a4a5"},
             Row{"/s/?channel=a&channel=b", "a=a1&b=b2", 200, true, "a3a4a5"},
             Row{"/s/?channel=a&channel=b", "a4", 200, true, "a5b1b2"},
             Row{"/s/?channel=a&channel=", "", 400, false, ""},
         }) {
        CAPTURE(row.target, row.last_id);
        Site site(route, options);
        const auto publish = [&](const std::string& name, int last) {
            sse::Publisher to(*site.channels.open("/s/" + name));
            for (int i = 1; i <= last; ++i) {
                const auto id = name + std::to_string(i);
                to.add({"message", id, std::string_view(id)});
                to.flush();
                site.settle();
            }
        };
        publish("a", 5);
        publish("b", 2);
        const auto fields =
            row.last_id.empty() ? "" : fmt::format("Last-Event-ID: {}\r\n", row.last_id);
        auto response = site.respond("GET", row.target, fields);
        CHECK(response.status == row.status);
        CHECK((header(response, "Sse-Gap") == "true") == row.gap);
        std::string data;
        if (response.feed) {
            const auto text = sent(response);
            for (auto at = text.find("data: "); at != text.npos; at = text.find("data: ", at + 1))
                data += text.substr(at + 6, 2);
        }
        std::sort(data.begin(), data.end()); // in which order the channels come is not promised
        auto wanted = row.data;
        std::sort(wanted.begin(), wanted.end());
        CHECK(data == wanted);
        if (!response.feed) continue;
        site.channels.end();
        site.settle();
        CHECK(response.feed->ended());
        CHECK(site.respond("GET", row.target, "Last-Event-ID: a=a5&b=b2\r\n").status == 204);
    }
    Site site(route, options);
    std::string target = "/?";
    for (int i = 0; i < 33; ++i) target += fmt::format("channel={}&", i);
    CHECK(site.respond("GET", target).status == 400);
}

TEST_CASE("every path is a channel, as far as there is room") {
    sse::ChannelRouteOptions route;
    route.channels = route.publish = true;
    sse::ChannelsOptions options;
    options.max_channels = 2;
    options.max_name_bytes = 10;
    Site site(route, {}, options);
    auto a = site.respond("GET", "/a"), b = site.respond("GET", "/b c");
    CHECK(site.respond("POST", "/a", "", "for a").status == 201);
    CHECK(site.respond("POST", "/b c", "", "for b").status == 201);
    CHECK_THAT(sent(a), ContainsSubstring("data: for a\n"));
    CHECK_THAT(sent(b), ContainsSubstring("data: for b\n"));
    const auto third = site.respond("GET", "/c");
    CHECK(third.status == 503);
    CHECK(header(third, "Retry-After") == "60");
    CHECK(site.respond("GET", "/" + std::string(10, 'x')).status == 503);
}

TEST_CASE("the admin routes have their statuses") {
    struct Row {
        const char *method, *path;
        int status;
        const char* body;
    };
    const Row rows[] = {
        {"GET", "/healthz", 200, "ok\n"},      {"HEAD", "/healthz", 200, "ok\n"},
        {"GET", "/metrics", 200, "# HELP"},    {"POST", "/metrics", 405, "GET and HEAD"},
        {"DELETE", "/healthz", 405, "GET"},    {"GET", "/", 404, "/metrics"},
        {"GET", "/healthz/", 404, "/healthz"}, {"POST", "/", 404, "/healthz"},
        {"GET", "/readyz", 200, "ready\n"},    {"PUT", "/readyz", 405, "GET"},
    };
    Site site;
    sse::Server server({}, site.handler);
    sse::AdminHandler admin(server, site.channels);
    for (const auto& row : rows) {
        INFO(row.method << " " << row.path);
        sse::Request request;
        request.method = row.method;
        request.path = request.target = row.path;
        const auto response = admin.respond(request, 0);
        CHECK(response.status == row.status);
        CHECK_THAT(response.body, ContainsSubstring(row.body));
        CHECK(header(response, "Allow") == (row.status == 405 ? "GET, HEAD" : ""));
    }
}

TEST_CASE("a keepalive comment follows silence, and never without it") {
    using namespace std::chrono_literals;
    sse::ChannelRouteOptions route;
    route.keepalive = 15s;
    Site site(route);
    auto response = site.respond("GET", "/");
    int woken = 0;
    response.feed->attach([&] { ++woken; });
    (void)sent(response);
    const auto start = sse::Feed::Clock::now();
    response.feed->tick(start + 14s);
    CHECK(woken == 0);
    response.feed->tick(start + 16s);
    CHECK(woken == 1);
    CHECK(sent(response) == ":\n\n");
}
