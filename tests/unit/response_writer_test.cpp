#include "server/response_writer.hpp"
#include "unit/catch2.hpp"

#include <algorithm>
#include <utility>

namespace {

struct NoFeed : sse::Feed {
    void attach(std::function<void()>) override {}
    std::size_t gather(Clock::time_point, std::span<std::string_view>) override { return 0; }
    void consume(std::size_t) override {}
    bool ended() const override { return true; }
};

sse::Response respond(int status, const std::string& type, const std::string& body,
                      bool stream = false) {
    sse::Response made;
    made.status = status;
    made.headers = {{"X-One", "1"}};
    made.content_type = type;
    made.body = body;
    if (stream) made.feed = std::make_unique<NoFeed>();
    return made;
}

/// The response with its fields in lower case and sorted, the date as `date`.
struct Response {
    std::string start_line, body;
    std::vector<std::string> fields;

    explicit Response(const std::string& wire) {
        const auto end = wire.find("\r\n\r\n");
        REQUIRE(end != wire.npos);
        body = wire.substr(end + 4);
        const auto head = sse::Head::parse(std::string_view(wire).substr(0, end + 4));
        start_line = head.start_line();
        for (const auto& [name, value] : head.fields()) {
            auto line = name + ": " + (name == "Date" ? "date" : value);
            std::transform(line.begin(), line.end(), line.begin(), [](char c) {
                return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
            });
            fields.push_back(line);
        }
        std::sort(fields.begin(), fields.end());
    }
    bool has(const std::string& start) const {
        return std::any_of(fields.begin(), fields.end(),
                           [&](const auto& f) { return f.starts_with(start); });
    }
};

} // namespace

TEST_CASE("An answer becomes a response, framed for the version of its request") {
    using sse::Framing;
    struct Row {
        const char* what;
        const char* method;
        Framing framing;
        bool keep_alive;
        sse::Response response;
        std::string start_line, body;
        std::vector<std::string> has, has_not;
    };
    const auto v11 = Framing::chunked, v10 = Framing::close_delimited;
    std::vector<Row> rows;
    rows.push_back({"a body",
                    "GET",
                    v11,
                    true,
                    respond(404, "text/plain", "none\n"),
                    "HTTP/1.1 404 Not Found",
                    "none\n",
                    {"content-length: 5", "content-type: text/plain", "x-one: 1", "date: date"},
                    {"connection: close", "transfer-encoding"}});
    rows.push_back({"and then closed",
                    "GET",
                    v11,
                    false,
                    respond(404, "text/plain", "none\n"),
                    "HTTP/1.1 404 Not Found",
                    "none\n",
                    {"content-length: 5", "connection: close"},
                    {}});
    rows.push_back({"to HTTP/1.0",
                    "GET",
                    v10,
                    false,
                    respond(404, "text/plain", "none\n"),
                    "HTTP/1.1 404 Not Found",
                    "none\n",
                    {"content-length: 5", "connection: close"},
                    {}});
    rows.push_back({"to HEAD",
                    "HEAD",
                    v11,
                    true,
                    respond(404, "text/plain", "none\n"),
                    "HTTP/1.1 404 Not Found",
                    "",
                    {"content-length: 5"},
                    {"accept-ranges"}});
    rows.push_back({"no content",
                    "GET",
                    v11,
                    true,
                    respond(204, "", ""),
                    "HTTP/1.1 204 No Content",
                    "",
                    {"x-one: 1"},
                    {"content-length", "transfer-encoding", "content-type"}});
    rows.push_back({"a stream",
                    "GET",
                    v11,
                    false,
                    respond(200, "text/event-stream", "", true),
                    "HTTP/1.1 200 OK",
                    "",
                    {"transfer-encoding: chunked", "content-type: text/event-stream", "x-one: 1"},
                    {"content-length", "accept-ranges"}});
    rows.push_back({"a stream to HTTP/1.0",
                    "GET",
                    v10,
                    false,
                    respond(200, "text/event-stream", "", true),
                    "HTTP/1.1 200 OK",
                    "",
                    {"content-type: text/event-stream", "connection: close"},
                    {"content-length", "transfer-encoding", "accept-ranges"}});
    auto head_of_stream = respond(200, "application/json", "");
    head_of_stream.streams = true;
    rows.push_back({"a stream's head alone",
                    "HEAD",
                    v11,
                    true,
                    std::move(head_of_stream),
                    "HTTP/1.1 200 OK",
                    "",
                    {"content-type: application/json", "transfer-encoding: chunked"},
                    {"content-length", "accept-ranges"}});
    sse::ResponseWriter writer(std::chrono::seconds(75));
    for (int round = 0; round < 2; ++round) { // nothing of one answer is left in the next
        for (const auto& row : rows) {
            INFO(row.what);
            const Response response(
                writer.bytes(row.method, row.framing, row.keep_alive, row.response));
            CHECK(response.start_line == row.start_line);
            CHECK(response.body == row.body);
            for (const auto& field : row.has) {
                INFO(field);
                CHECK(response.has(field));
            }
            for (const auto& field : row.has_not) {
                INFO(field);
                CHECK_FALSE(response.has(field));
            }
            auto names = response.fields;
            for (auto& name : names) name.resize(name.find(':'));
            CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
        }
    }
}

TEST_CASE("The head of a response is written byte for byte, whatever version of httplib is there") {
    sse::ResponseWriter writer(std::chrono::seconds(75));
    const auto bytes = [&](const char* method, bool keep_alive, const sse::Response& response) {
        auto made = writer.bytes(method, sse::Framing::chunked, keep_alive, response);
        const auto date = made.find("Date: ");
        REQUIRE(date != made.npos);
        return made.erase(date + 6, made.find("\r\n", date) - date - 6);
    };
    auto error = respond(422, "text/plain", "no\n");
    error.headers = {{"vary", "Origin"}, {"Allow", "GET"}, {"Vary", "Accept"}};
    CHECK(bytes("GET", true, error) == "HTTP/1.1 422 Unprocessable Content\r\nAllow: GET\r\n"
                                       "Content-Length: 3\r\nContent-Type: text/plain\r\n"
                                       "Date: \r\nKeep-Alive: timeout=75, max=1000\r\n"
                                       "vary: Origin\r\nVary: Accept\r\n\r\nno\n");
    const auto stream = respond(200, "text/event-stream", "", true);
    CHECK(bytes("GET", false, stream) ==
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/event-stream\r\nDate: \r\n"
          "Transfer-Encoding: chunked\r\nX-One: 1\r\n\r\n");
    auto split = respond(200, "", "");
    split.headers = {{"X-Split", "a\r\nX-Two: b"}, {"X-\nThree", "c"}};
    CHECK(bytes("GET", false, split) ==
          "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\nDate: \r\n\r\n");
    for (const auto& [status, line] :
         std::vector<std::pair<int, std::string>>{{204, "HTTP/1.1 204 No Content"},
                                                  {300, "HTTP/1.1 300 Multiple Choices"},
                                                  {413, "HTTP/1.1 413 Payload Too Large"},
                                                  {503, "HTTP/1.1 503 Service Unavailable"}}) {
        INFO(status);
        CHECK(bytes("GET", true, respond(status, "", "")).starts_with(line + "\r\n"));
    }
}
