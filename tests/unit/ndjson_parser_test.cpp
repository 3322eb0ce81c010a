#include "protocol/ndjson_parser.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"

namespace {

struct Scribe : sse::Parser::Sink {
    std::string text;
    void on_event(const sse::EventView& e) override { text.append("(").append(e.data).append(")"); }
};

} // namespace

TEST_CASE("JSON lines are events of data, however the bytes are cut") {
    const std::string wire = "{\"a\":1}\r\n\n  \n[2]\n\xFF\n\"last\"";
    const std::string events = "({\"a\":1})([2])(\xEF\xBF\xBD)(\"last\")";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        Scribe scribe;
        sse::NdjsonParser lines(scribe);
        lines.feed(std::string_view(wire).substr(0, cut));
        lines.feed(std::string_view(wire).substr(cut));
        lines.finish();
        CHECK(scribe.text == events);
    }
}

TEST_CASE("a line of JSON is bounded") {
    Scribe scribe;
    sse::NdjsonParser lines(scribe, {10});
    lines.feed("1234567890\n12345");
    CHECK(scribe.text == "(1234567890)");
    CHECK_THROWS_AS(lines.feed("678901"), sse::Error);
}
