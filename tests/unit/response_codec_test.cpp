#include "server/httplib_server.hpp"
#include "unit/catch2.hpp"

#include <algorithm>

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
    rows.push_back({"a stream's head alone",
                    "HEAD",
                    v11,
                    true,
                    respond(200, "text/event-stream", ""),
                    "HTTP/1.1 200 OK",
                    "",
                    {"content-type: text/event-stream"},
                    {"content-length", "accept-ranges"}});
    sse::ResponseCodec codec(std::chrono::seconds(75));
    for (int round = 0; round < 2; ++round) { // nothing of one answer is left in the next
        for (const auto& row : rows) {
            INFO(row.what);
            const Response response(
                codec.encode(row.method, row.framing, row.keep_alive, row.response));
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
