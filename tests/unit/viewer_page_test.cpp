#include "handlers/viewer_page.hpp"

#include "handlers/page/page.hpp"
#include "unit/catch2.hpp"

namespace {

sse::Request request(const std::string& fields) {
    sse::Request made;
    made.method = "GET";
    made.head = sse::Head::parse("GET / HTTP/1.1\r\n" + fields + "\r\n");
    return made;
}

} // namespace

TEST_CASE("a browser that navigates gets the page, everybody else the stream") {
    struct Row {
        const char* who;
        std::string fields;
        bool page;
    };
    const Row rows[] = {
        {"Chromium navigates", "Sec-Fetch-Mode: navigate\r\nAccept: text/html,*/*;q=0.8\r\n", true},
        {"a page's fetch", "Sec-Fetch-Mode: cors\r\nAccept: text/html\r\n", false},
        {"an EventSource", "Sec-Fetch-Mode: cors\r\nAccept: text/event-stream\r\n", false},
        {"a browser that says no mode",
         "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n", true},
        {"case and white space do not matter", "Accept: Text/HTML ; q=1 , */* ; Q=0.5\r\n", true},
        {"curl", "Accept: */*\r\n", false},
        {"no Accept at all", "", false},
        {"text/html is no better than the rest", "Accept: text/html, */*\r\n", false},
        {"text/html is refused", "Accept: text/html;q=0\r\n", false},
        {"the stream is asked for as well", "Accept: text/event-stream, text/html\r\n", false},
        {"the stream is liked less", "Accept: text/html, text/event-stream;q=0.9\r\n", true},
        {"thousandths count", "Accept: text/html;q=0.501, */*;q=0.5\r\n", true},
        {"a parameter before the weight", "Accept: text/html;level=1;q=0.3, */*;q=0.5\r\n", false},
        {"another type of that beginning", "Accept: text/html5\r\n", false},
        {"a weight that is none", "Accept: text/html;q=x\r\n", false},
    };
    for (const auto& row : rows) {
        INFO(row.who);
        CHECK(sse::wants_page(request(row.fields)) == row.page);
    }
}

TEST_CASE("the page is small, whole, and needs nothing but itself") {
    const auto response = sse::viewer_page();
    CHECK(response.body.size() < 25 * 1024);
    CHECK(response.body.find("@SSE") == std::string::npos);
    CHECK(response.body.find(sse::page::js) != std::string::npos);
    CHECK(response.body.find(sse::page::css) != std::string::npos);
    for (const auto* outside : {"http://", "https://", "src=", "@import", "url(", "innerHTML"}) {
        INFO(outside);
        CHECK(response.body.find(outside) == std::string::npos);
    }
}
