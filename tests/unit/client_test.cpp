#include "client/client.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"
#include "unit/scripted_server.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace std::chrono_literals;
using Change = std::function<void(sse::ClientOptions&)>;

/// Collects `data#id|` of each event, and the notes around them.
class Collector : public sse::Client::Listener {
public:
    std::string events, notes;
    std::vector<std::string> whys;
    void on_event(const sse::EventView& event) override {
        events.append(event.data);
        if (event.id) events.append("#").append(*event.id);
        events.push_back('|');
    }
    void on_ignored_coding(std::string_view name) override {
        notes.append("ignored ").append(name);
    }
    void on_redirect(int status, const sse::ClientRequest& next, bool dropped) override {
        notes += std::to_string(status) + " " + next.method + (dropped ? " dropped;" : ";");
    }
    void on_reconnect(std::chrono::milliseconds, std::string_view why) override {
        whys.emplace_back(why);
    }
};

struct Result {
    std::string events, notes, error;
    sse::Reason reason = sse::Reason::unspecified;
    std::optional<sse::Client::End> end;
    std::vector<std::string> whys;
};

/// What a client makes of `url`. Waits are a millisecond.
Result run(
    const std::string& url, const Change& change = [](auto&) {}) {
    sse::ClientOptions options;
    options.request.url = sse::Url::parse(url);
    options.request.fields = {{"Accept", "text/event-stream"}};
    options.backoff.min_wait = options.backoff.reconnection_time = options.backoff.retry_max = 1ms;
    options.reconnect = false;
    change(options);
    Collector listener;
    sse::Interrupt interrupt;
    Result result;
    try {
        sse::Client client(std::move(options), listener, interrupt);
        result.end = client.run();
    } catch (const sse::Error& e) {
        result.error = e.what();
        result.reason = e.reason();
    }
    result.events = listener.events, result.notes = listener.notes, result.whys = listener.whys;
    return result;
}

std::string response(const std::string& status, const std::string& fields,
                     const std::string& body) {
    return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           fields + "\r\n" + body;
}
std::string stream(const std::string& body, const std::string& fields = "") {
    return response("200 OK", "Content-Type: text/event-stream\r\n" + fields, body);
}
const std::string no_content = "HTTP/1.1 204 No Content\r\n\r\n";

/// The values of the field `name` in `request`, between commas.
std::string field(const std::string& request, const std::string& name) {
    std::string values;
    const auto head = request.substr(0, request.find("\r\n\r\n") + 2);
    for (auto at = head.find("\r\n" + name + ": "); at != head.npos;
         at = head.find("\r\n" + name + ": ", at + 2)) {
        const auto start = at + name.size() + 4;
        if (!values.empty()) values += ",";
        values += head.substr(start, head.find("\r\n", start) - start);
    }
    return values;
}

void reconnects(sse::ClientOptions& o) { o.reconnect = true; }
void posts(sse::ClientOptions& o) {
    o.request.method = "POST";
    o.request.body = "{}";
}

} // namespace

TEST_CASE("a response that is no event stream is an error that names it") {
    struct Row {
        const char *status, *type, *body, *error;
    };
    const Row rows[] = {
        {"200 OK", "text/x-bogus", "data: x\n\n",
         "200 OK with text/x-bogus, not text/event-stream: data: x"},
        {"200 OK", "text/event-stream-x", "",
         "200 OK with text/event-stream-x, not text/event-stream"},
        {"200 OK", "", "data: x\n\n", "200 OK without a Content-Type: data: x"},
        {"200 OK", "text/html", "<h1>\n  Log in</h1>",
         "200 OK with text/html, not text/event-stream: <h1> Log in</h1>"},
        {"200 OK", "application/json", "{\"error\":\"no\"}",
         "200 OK with application/json, not text/event-stream: {\"error\":\"no\"}"},
        {"201 Created", "text/event-stream", "", "201 Created"},
        {"205 Reset Content", "text/event-stream", "", "205 Reset Content"},
        {"210 Different", "text/event-stream", "data: x\n\n", "210 Different: data: x"},
        {"401 Unauthorized", "", "", "401 Unauthorized"},
        {"404 Not Found", "application/json", "{\"detail\":1}", "404 Not Found: {\"detail\":1}"},
        {"407 Proxy", "", "", "407 Proxy"},
        {"410 Gone", "text/event-stream", "data: x\n\n", "410 Gone: data: x"},
        {"429 Slow", "", "later", "429 Slow: later"},
        {"503 Unavailable", "text/event-stream", "data: x\n\n", "503 Unavailable: data: x"},
        {"418 Teapot", "", "\x1b]0;x\x07", "418 Teapot: \\x1b]0;x\\x07"},
        {"301 Moved", "", "", "301 Moved without a Location"},
        {"308 Moved", "", "", "308 Moved without a Location"},
    };
    for (const auto& row : rows) {
        INFO(row.status << " " << row.type);
        const auto type = *row.type ? "Content-Type: " + std::string(row.type) + "\r\n" : "";
        const ScriptedServer server({response(row.status, type, row.body)});
        const auto got = run(server.url());
        CHECK(got.error == server.url() + " returned " + row.error);
        CHECK(got.events == "");
        CHECK(server.requests().size() == 1);
    }
}

TEST_CASE("content types that open a stream") {
    for (const char* type : {"text/event-stream", "text/event-stream;", "TEXT/Event-Stream",
                             "text/event-stream ; charset=utf-8"}) {
        INFO(type);
        const ScriptedServer server(
            {response("200 OK", "Content-Type: " + std::string(type) + "\r\n", "data: x\n\n")});
        CHECK(run(server.url()).events == "x|");
    }
}

TEST_CASE("a stream in the response to a POST may have another status of success") {
    for (const char* status : {"200 OK", "201 Created", "202 Accepted", "203 Odd"}) {
        INFO(status);
        const ScriptedServer server(
            {response(status, "Content-Type: text/event-stream\r\n", "data: x\n\n")});
        CHECK(run(server.url(), posts).events == "x|");
    }
    const ScriptedServer server(
        {response("206 Partial", "Content-Type: text/event-stream\r\n", "data: x\n\n")});
    CHECK(run(server.url(), posts).events == "");
}

TEST_CASE("any_response reads a stream whatever status and content type say") {
    const Change any = [](auto& o) { o.any_response = true; };
    for (const char* head :
         {"404 Not Found\r\nContent-Type: text/plain", "200 OK", "201 Created",
          "503 Busy\r\nContent-Type: text/event-stream", "301 Moved\r\nContent-Type: text/html"}) {
        INFO(head);
        const ScriptedServer server(
            {"HTTP/1.1 " + std::string(head) + "\r\nContent-Length: 9\r\n\r\ndata: x\n\n"});
        const auto got = run(server.url(), any);
        CHECK(got.error == "");
        CHECK(got.events == "x|");
    }
    const ScriptedServer ended({no_content});
    CHECK(run(ended.url(), any).end == sse::Client::End::no_content);
}

TEST_CASE("a JSON response is one event where the request accepts it, or with any_response") {
    const Change accepting = [](auto& o) {
        posts(o);
        o.request.set("Accept", "application/json, text/event-stream");
    };
    const Change any = [](auto& o) { o.any_response = true; };
    const std::string type = "Content-Type: application/json; charset=utf-8\r\n";
    for (const auto& change : {accepting, any}) {
        const ScriptedServer server({response("200 OK", type, "{\"a\":\r\n 1}\r\n")});
        const auto got = run(server.url(), [&](auto& o) { change(o), reconnects(o); });
        CHECK(got.error == "");
        CHECK(got.events == "{\"a\":\n 1}|");
        CHECK(server.requests().size() == 1); // nothing to resume
    }
    const ScriptedServer blank({response("200 OK", type, "\n")});
    CHECK(run(blank.url(), any).events == "");
    const ScriptedServer lines({response("200 OK", type, "{\"a\":1}\n{\"a\":2}\n")});
    CHECK(run(lines.url(), accepting).events == "{\"a\":1}|{\"a\":2}|");
    CHECK(run(lines.url()).reason == sse::Reason::json_lines);
    const ScriptedServer large({response("200 OK", type, "[" + std::string(200, ' ') + "]")});
    CHECK(run(large.url(), [&](auto& o) { any(o), o.parser.max_event_bytes = 100; }).error ==
          "an event is larger than 100 bytes");
    const ScriptedServer refused({response("200 OK", type, "{}")});
    CHECK(run(refused.url(), [](auto& o) {
              o.request.set("Accept", "text/event-stream, application/json;q=0");
          }).events == "");
}

TEST_CASE("a Content-Encoding that is no coding is ignored, with a note") {
    const ScriptedServer server({stream("data: x\n\n", "Content-Encoding: none\r\n")});
    const auto got = run(server.url());
    CHECK(got.events == "x|");
    CHECK(got.notes == "ignored none");
    const ScriptedServer zstd({stream("data: x\n\n", "Content-Encoding: zstd\r\n")});
    CHECK_THAT(run(zstd.url()).error,
               ContainsSubstring("with Content-Encoding zstd, which was not "
                                 "requested; sse can decode gzip, deflate, br"));
}

TEST_CASE("the last event ID is sent on reconnecting, and replaces the first one") {
    const ScriptedServer server({stream("data: a\n\n"), stream("id: 9\ndata: b\n\n"),
                                 stream("data: c\n\nid: 10\n\n"), stream("id: a\tb\ndata: d\n\n"),
                                 stream("id\ndata: e\n\n"), no_content});
    const auto got = run(server.url(), [](auto& o) { reconnects(o), o.last_event_id = "5"; });
    CHECK(got.end == sse::Client::End::no_content);
    CHECK(got.events == "a|b#9|c|d#a\tb|e#|");
    std::vector<std::string> ids;
    for (const auto& request : server.requests()) ids.push_back(field(request, "Last-Event-ID"));
    CHECK(ids == std::vector<std::string>{"5", "5", "9", "10", "", ""});
}

TEST_CASE("after it was open a stream is retried for what may pass, and for nothing else") {
    for (const char* status : {"429 Slow", "500 Oops", "502 Bad", "503 Busy", "504 Late"}) {
        INFO(status);
        const ScriptedServer server({stream("data: 1\n\n"), response(status, "", ""), "",
                                     stream("data: 2\n\n"), no_content});
        CHECK(run(server.url(), reconnects).events == "1|2|");
    }
    for (const char* status : {"404 No", "401 No", "501 No", "205 Reset"}) {
        INFO(status);
        const ScriptedServer server({stream("data: 1\n\n"), response(status, "", ""), no_content});
        const auto got = run(server.url(), reconnects);
        CHECK(got.error != "");
        CHECK(server.requests().size() == 2);
    }
    const ScriptedServer server({stream("data: 1\n\n"), "", "", "", ""});
    const auto got = run(server.url(), [](auto& o) { reconnects(o), o.retries = 2; });
    CHECK(got.error == "the server closed the connection without a response");
    CHECK(server.requests().size() == 4);
}

TEST_CASE("a POST is not sent again unless that is asked for") {
    const std::vector<std::string> steps = {stream("id: 1\ndata: 1\n\n"), stream("data: 2\n\n"),
                                            no_content};
    const ScriptedServer once(steps);
    CHECK(run(once.url(), posts).end == sse::Client::End::ended);
    CHECK(once.requests().size() == 1);
    const ScriptedServer resumed(steps);
    CHECK(run(resumed.url(), [](auto& o) { posts(o), o.resume_with_get = true; }).events ==
          "1#1|2|");
    CHECK(resumed.requests()[1].starts_with("GET "));
    CHECK(field(resumed.requests()[1], "Last-Event-ID") == "1");
}

TEST_CASE("cookies that a server sets are sent to it again, and to no other host") {
    const auto moved = [](const std::string& to) {
        return response("302 Found", "Location: " + to + "\r\nSet-Cookie: s=1\r\n", "");
    };
    const ScriptedServer server(
        {moved("/x"), stream("data: a\n\n", "Set-Cookie: s=2\r\n"), moved("/x"), no_content});
    CHECK(run(server.url(), [](auto& o) { reconnects(o), o.request.set("Cookie", "u=0"); }).error ==
          "");
    std::vector<std::string> cookies;
    for (const auto& request : server.requests()) cookies.push_back(field(request, "Cookie"));
    CHECK(cookies == std::vector<std::string>{"u=0", "u=0; s=1", "u=0; s=2", "u=0; s=1"});

    const ScriptedServer there({no_content});
    auto other = there.url();
    other.replace(other.find("127.0.0.1"), 9, "localhost");
    const ScriptedServer here({moved(other)});
    CHECK(run(here.url()).error == "");
    CHECK(field(there.requests()[0], "Cookie") == "");

    const ScriptedServer off({moved("/x"), no_content});
    CHECK(run(off.url(), [](auto& o) { o.cookies.enabled = false; }).error == "");
    CHECK(field(off.requests()[1], "Cookie") == "");
}

TEST_CASE("credentials that a redirect dropped are the reason of a 401 behind it") {
    const ScriptedServer there({response("401 No", "", "")});
    const ScriptedServer here({response("301 Moved", "Location: " + there.url() + "\r\n", "")});
    const Change bearer = [](auto& o) { o.request.set("Authorization", "Bearer s"); };
    CHECK(run(here.url(), bearer).reason == sse::Reason::credentials_dropped);
    CHECK(field(there.requests()[0], "Authorization") == "");
    CHECK(run(here.url()).reason == sse::Reason::unspecified); // there were none
    CHECK(run(there.url(), bearer).reason == sse::Reason::unspecified);
}

TEST_CASE("redirects are followed a bounded number of times") {
    const auto count = [](std::size_t n, const std::string&) {
        return n < 20 ? response("302 Found", "Location: /x\r\n", "") : stream("data: x\n\n");
    };
    const ScriptedServer server(count);
    CHECK(run(server.url()).events == "x|");
    const ScriptedServer endless({response("302 Found", "Location: /?token=s\r\n", "")});
    const auto got = run(endless.url("/?token=s"));
    CHECK(got.error == endless.url() + "?token=*** redirects more than 20 times");
    CHECK(got.reason == sse::Reason::redirect);
    CHECK(endless.requests().size() == 21);
    const ScriptedServer file({response("302 Found", "Location: file:///etc/passwd\r\n", "")});
    CHECK_THAT(run(file.url()).error, ContainsSubstring("its scheme is file"));
}

TEST_CASE("the authentication schemes of a response are known") {
    const ScriptedServer server({response("401 No",
                                          "WWW-Authenticate: Digest realm=\"a, b\", nonce=\"x\"\r\n"
                                          "WWW-Authenticate: Negotiate, Basic realm=\"c\"\r\n",
                                          "")});
    sse::ClientOptions options;
    options.request.url = sse::Url::parse(server.url());
    Collector listener;
    sse::Interrupt interrupt;
    sse::Client client(options, listener, interrupt);
    try {
        client.run();
        FAIL("no error");
    } catch (const sse::HttpStatusError& e) {
        CHECK(e.response().auth_schemes == "digest, negotiate, basic");
        CHECK(e.response().status == 401);
    }
}

TEST_CASE("secrets of a URL are in no error") {
    const ScriptedServer server({response("404 No", "", "")});
    CHECK(run(server.url("/?access_token=s&a=b")).error ==
          server.url("/?access_token=***&a=b") + " returned 404 No");
}
