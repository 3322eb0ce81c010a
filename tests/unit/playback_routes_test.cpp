#include "handlers/playback_routes.hpp"

#include "server/request_reader.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary.hpp"

#include <fmt/format.h>
#include <memory>

namespace {

/// Recordings, each in a file of its own, and the routes to them.
class Routes {
public:
    /// `exact`: as sse record writes them. The numbers of the recordings are their answers, from 0.
    struct Recorded {
        std::string method, url;
        std::optional<std::string> body = std::nullopt; ///< JSON text of a string
        bool exact = true;
        std::string target = {};
    };
    explicit Routes(const std::vector<Recorded>& recorded, sse::PlaybackRouteOptions options = {}) {
        std::vector<std::string> names;
        for (const auto& it : recorded) {
            std::string head = R"({"sse":1)";
            if (it.exact) head += R"(,"exact":true)";
            head += fmt::format(R"(,"url":"{}","request":{{"method":"{}")", it.url, it.method);
            if (!it.target.empty()) head += fmt::format(R"(,"target":"{}")", it.target);
            if (it.body) head += fmt::format(R"(,"body":"{}")", *it.body);
            files_.push_back(std::make_unique<TemporaryFile>(head + "}}\n"));
            names.push_back(files_.back()->path());
        }
        routes_ = std::make_unique<sse::PlaybackRoutes>(names, std::move(options),
                                                        sse::RecordingReaderOptions());
    }

    /// The number of the recording that a request gets, or `404 first line of the body`.
    std::string ask(const std::string& line, const std::string& body = {}, bool resumes = false) {
        sse::RequestReader reader(sse::RequestLimits{});
        const auto wire = fmt::format("{} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}",
                                      line, body.size(), body);
        std::string_view rest = wire;
        while (reader.state() == sse::RequestReader::State::head ||
               reader.state() == sse::RequestReader::State::body)
            reader.feed(rest);
        REQUIRE(reader.state() == sse::RequestReader::State::done);
        sse::Response refusal;
        const auto* found = routes_->find(reader.request(), resumes, refusal);
        if (!resumes) CHECK(routes_->has(reader.request()) == (found != nullptr));
        for (std::size_t i = 0; i < files_.size(); ++i) {
            if (found != nullptr && found->file == files_[i]->path()) return std::to_string(i);
        }
        auto why =
            fmt::format("{} {}", refusal.status, refusal.body.substr(0, refusal.body.find('\n')));
        for (std::size_t i = 0; i < files_.size(); ++i) {
            const auto name = files_[i]->path().substr(5);
            if (const auto at = why.find(name); at != why.npos)
                why.replace(at, name.size(), fmt::format("number {}", i));
        }
        return why;
    }

private:
    std::vector<std::unique_ptr<TemporaryFile>> files_;
    std::unique_ptr<sse::PlaybackRoutes> routes_;
};

std::string unknown_body(const std::string& nearest) { return "404 nearest is " + nearest; }

} // namespace

TEST_CASE("An exact recording is found by method, path, query and body") {
    Routes routes({{"POST", "http://h/chat?v=1&k=***", R"({\"q\":1})"},
                   {"POST", "http://h/chat?v=1&k=***", R"({\"q\":2})"},
                   {"POST", "http://h/chat?v=2", R"({\"q\":1})"},
                   {"GET", "http://h/a%20b"},
                   {"GET", "http://h/base/x", std::nullopt, true, "/x"},
                   {"POST", "http://h/any"}});
    struct Row {
        const char *line, *body;
        std::string found;
    };
    const Row rows[] = {
        {"POST /chat?v=1&k=secret", R"({"q":1})", "0"},
        {"POST /chat?k=other&v=1", R"({ "q" : 2.0 })", "1"},
        {"POST /chat?v=2", R"({"q":1})", "2"},
        {"GET /a%20b", "", "3"},
        {"GET /a%20b?", "", "3"},
        {"HEAD /a%20b", "", "3"},
        {"GET /x", "", "4"},
        {"POST /any", "whatever", "5"}, // its body was not recorded
        {"POST /chat?v=3", R"({"q":1})",
         unknown_body(R"(number 0: query recorded "v=1&k=***", requested "v=3")")},
        {"POST /chat?v=1&k=s&x=1", R"({"q":1})",
         unknown_body(R"(number 0: query recorded "v=1&k=***", requested "v=1&k=s&x=1")")},
        {"POST /chat?v=1&k=s", R"({"q":3})",
         unknown_body("number 0: at /q: recorded 1, requested 3")},
        {"POST /chat?v=2", R"({"q":1,"r":2})",
         unknown_body("number 2: at /r: recorded nothing, requested 2")},
        {"POST /chat?v=2", "", unknown_body(R"(number 2: recorded {"q":1}, requested no body)")},
        {"POST /chat/?v=2", R"({"q":1})", unknown_body("the path /chat, requested /chat/")},
        {"GET /v1/chat", "", unknown_body("the path /chat, requested /v1/chat")},
        {"GET /zzz", "", "404 no recording of this request; recorded requests:"},
        {"DELETE /chat", "", "405 recorded methods of this path: POST"},
        {"POST /a%20b", "", "405 recorded methods of this path: GET, HEAD"},
        {"GET /base/x", "", unknown_body("the path /x, requested /base/x")},
    };
    for (const auto& row : rows) {
        INFO(row.line << " " << row.body);
        CHECK(routes.ask(row.line, row.body) == row.found);
    }
}

TEST_CASE("The nearest recording is the one with the fewest differences, the first of equal ones") {
    Routes routes({{"POST", "http://h/c", R"({\"m\":\"a\",\"n\":1,\"q\":\"x\"})"},
                   {"POST", "http://h/c", R"({\"m\":\"b\",\"n\":2,\"q\":\"y\"})"},
                   {"POST", "http://h/c", R"({\"m\":\"b\",\"n\":2,\"q\":\"z\"})"}});
    const auto ask = [&](const char* body) { return routes.ask("POST /c", body); };
    CHECK(ask(R"({"m":"b","n":2,"q":"w"})") ==
          unknown_body(R"(number 1: at /q: recorded "y", requested "w")"));
    CHECK(ask(R"({"m":"b","n":3,"q":"z"})") ==
          unknown_body("number 2: at /n: recorded 2, requested 3"));
    CHECK(ask(R"({"m":"a"})") == unknown_body("number 0: at /n: recorded 1, requested nothing"));
    CHECK(ask("[]") ==
          unknown_body(R"(number 0: at the root: recorded {"m":"a","n":1,"q":"x"}, requested [])"));
}

TEST_CASE("Recordings of one request are played in turn, then the last") {
    Routes routes(
        {{"POST", "http://h/c", "a"}, {"POST", "http://h/c", "b"}, {"POST", "http://h/c", "a"}});
    CHECK(routes.ask("POST /c", "a") == "0");
    CHECK(routes.ask("POST /c", "b") == "1");
    CHECK(routes.ask("POST /c", "a", true) == "0"); // resumes the one before
    CHECK(routes.ask("POST /c", "a") == "2");
    CHECK(routes.ask("POST /c", "a") == "2");
    CHECK(routes.ask("POST /c", "b") == "1");
    sse::PlaybackRouteOptions cycle;
    cycle.repeat = sse::PlaybackRouteOptions::Repeat::cycle;
    Routes again({{"GET", "http://h/c"}, {"GET", "http://h/c"}}, cycle);
    CHECK(again.ask("GET /c") == "0");
    CHECK(again.ask("HEAD /c") == "0"); // counts as none
    CHECK(again.ask("GET /c") == "1");
    CHECK(again.ask("GET /c") == "0");
}

TEST_CASE("Ignored and masked values of a body match any") {
    sse::PlaybackRouteOptions options;
    options.ignored.add("/id");
    Routes routes({{"POST", "http://h/c", R"({\"id\":1,\"user\":\"***\",\"q\":1})"}}, options);
    CHECK(routes.ask("POST /c", R"({"id":[2],"user":{"n":1},"q":1})") == "0");
    CHECK(routes.ask("POST /c", R"({"q":1})") == "0");
    CHECK(routes.ask("POST /c", R"({"id":1,"q":2})") ==
          unknown_body("number 0: at /q: recorded 1, requested 2"));
}

TEST_CASE("Other recordings are found by method and path, and by query where they differ in it") {
    Routes routes({{"POST", "http://h/c?v=1", "a", false},
                   {"GET", "http://h/x?v=1", std::nullopt, false},
                   {"GET", "http://h/x?v=2", std::nullopt, false}});
    CHECK(routes.ask("POST /c", "b") == "0");
    CHECK(routes.ask("POST /c?v=9", "") == "0");
    CHECK(routes.ask("GET /x?v=2") == "2");
    CHECK(routes.ask("GET /x?v=3").starts_with("404 nearest is number 1: query recorded"));
    sse::PlaybackRouteOptions match;
    match.match_body = true;
    Routes bodies({{"POST", "http://h/c", "a", false}}, match);
    CHECK(bodies.ask("POST /c", "a") == "0");
    CHECK(bodies.ask("POST /c", "b") == unknown_body("number 0: recorded a, requested b"));
}
