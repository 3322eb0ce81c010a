#include "client/client_request.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"

namespace {

sse::ClientRequest request(const std::string& method, const std::string& url) {
    sse::ClientRequest out;
    out.method = method;
    out.url = sse::Url::parse(url);
    out.fields = {{"Accept", "text/event-stream"},
                  {"Authorization", "Bearer x"},
                  {"Cookie", "a=b"},
                  {"X-Api-Key", "k"},
                  {"Last-Event-ID", "7"},
                  {"Content-Type", "text/plain"}};
    out.body = "body";
    return out;
}

std::string names(const sse::ClientRequest& r) {
    std::string out;
    for (const auto& field : r.fields) out += field.name.substr(0, 3) + " ";
    return out;
}

} // namespace

TEST_CASE("a redirect keeps or changes the method as Fetch says") {
    struct Row {
        const char* method;
        int status;
        const char *then, *body;
    };
    const Row rows[] = {
        {"GET", 301, "GET", "body"},   {"POST", 301, "GET", ""},
        {"POST", 302, "GET", ""},      {"POST", 303, "GET", ""},
        {"POST", 307, "POST", "body"}, {"POST", 308, "POST", "body"},
        {"PUT", 301, "PUT", "body"},   {"PUT", 303, "GET", ""},
        {"HEAD", 303, "HEAD", "body"}, {"REPORT", 302, "REPORT", "body"},
    };
    for (const auto& row : rows) {
        INFO(row.method << " " << row.status);
        auto r = request(row.method, "http://h/a");
        apply_redirect(r, row.status, "/b");
        CHECK(r.method == row.then);
        CHECK(r.body.value_or("") == row.body);
        CHECK((r.find("Content-Type") != nullptr) == r.body.has_value());
        CHECK(r.url.text() == "http://h/b");
        CHECK(r.find("authorization"));
    }
}

TEST_CASE("secrets stay with their origin, and the last event ID goes along") {
    for (const char* elsewhere : {"http://other/", "https://h/", "http://h:81/", "//other/"}) {
        INFO(elsewhere);
        auto r = request("GET", "http://h/a");
        apply_redirect(r, 307, elsewhere);
        CHECK(names(r) == "Acc Las Con ");
        apply_redirect(r, 307, "http://h/a"); // and they do not come back
        CHECK(names(r) == "Acc Las Con ");
    }
    auto r = request("GET", "http://h/a");
    apply_redirect(r, 307, "http://H:80/b");
    CHECK(names(r) == "Acc Aut Coo X-A Las Con ");
}

TEST_CASE("what no request can carry is refused") {
    const auto bad = [](auto change) {
        auto r = request("GET", "http://h/");
        change(r);
        return [r] { check(r); };
    };
    CHECK_NOTHROW(bad([](auto&) {})());
    CHECK_NOTHROW(bad([](auto& r) { r.set("X", "tab\there \xC3\xA9"); })());
    CHECK_THROWS_WITH(bad([](auto& r) { r.method = "GET /\r\n"; })(),
                      ContainsSubstring("is not a method"));
    CHECK_THROWS_WITH(bad([](auto& r) { r.method = ""; })(), ContainsSubstring("is not a method"));
    CHECK_THROWS_WITH(bad([](auto& r) { r.set("X y", "1"); })(), "\"X y\" is not a header name");
    CHECK_THROWS_WITH(bad([](auto& r) { r.set("", "1"); })(), "\"\" is not a header name");
    for (const auto& value :
         {std::string("a\r\nY: 1"), std::string("a\nb"), std::string("a\0b", 3)}) {
        CHECK_THROWS_WITH(bad([&](auto& r) { r.set("X", value); })(),
                          "the value of header X contains a control character");
    }
}
