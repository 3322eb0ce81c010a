#include "unit/catch2.hpp"
#include "protocol/parser.hpp"
#include "protocol/encoder.hpp"
#include "protocol/error.hpp"

#include <random>
#include <vector>

namespace {

/// Writes what a parser says as one short line: `type(data)#id`, `:comment`, `retry=ms`, `id=x`.
struct Scribe : sse::Parser::Sink {
    std::string text;
    void on_event(const sse::EventView& e) override {
        text.append(e.type).append("(").append(e.data).append(")");
        if (e.id) text.append("#").append(*e.id);
    }
    void on_id(std::string_view id) override { text.append("id=").append(id); }
    void on_comment(std::string_view c) override { text.append(":").append(c).append(";"); }
    void on_retry(std::chrono::milliseconds ms) override {
        text.append("retry=").append(std::to_string(ms.count()));
    }
};

std::string read(const std::vector<std::string_view>& feeds, std::string& last_id) {
    Scribe scribe;
    sse::Parser parser(scribe);
    for (const auto feed : feeds) parser.feed(feed);
    last_id = parser.last_event_id();
    parser.finish();
    return scribe.text;
}

} // namespace

TEST_CASE("Parser reads these blocks the same however the bytes are cut") {
    struct Row { const char* rule; std::string wire, events, last_id; };
    const Row rows[] = {
        {"a blank line ends an event", "data: a\n\n", "message(a)", ""},
        {"CR, LF and CRLF may mix", "data: a\rdata: b\n\r\n", "message(a\nb)", ""},
        {"a CRLF is one line end", "data: a\r\n\r\ndata: b\r\n\r\n", "message(a)message(b)", ""},
        {"no data field, no event", "event: add\n\ndata: x\n\n", "message(x)", ""},
        {"an empty data field is an event", "data\n\n", "message()", ""},
        {"two of them are a line end", "data\ndata\n\n", "message(\n)", ""},
        {"one space goes, not two", "data:  a\ndata:b\n\n", "message( a\nb)", ""},
        {"the last id outlives its event", "id: 7\ndata: a\n\ndata: b\n\n", "message(a)#7message(b)", "7"},
        {"an id counts without data", "id: 7\n\n", "id=7", "7"},
        {"an empty id resets", "id: 7\ndata: a\n\nid\ndata: b\n\n", "message(a)#7message(b)#", ""},
        {"an id with NUL is ignored", std::string("id: 7\nid: a\0b\ndata: a\n\n", 23), "message(a)#7", "7"},
        {"an unfinished block is nothing", "data: a\n\nid: 8\n", "message(a)", ""},
        {"comments are told apart", ": hi\n:\ndata: a\n\n", ": hi;:;message(a)", ""},
        {"retry takes digits only", "retry: 10\nretry: 5.0\nretry: -1\nretry:\n", "retry=10", ""},
        {"a huge retry is clamped", "retry: 99999999999999999999999999\n", "retry=2147483647", ""},
        {"one BOM goes", "\xEF\xBB\xBF" "data: a\n\n", "message(a)", ""},
        {"and not a second", "\xEF\xBB\xBF\xEF\xBB\xBF" "data: a\n\ndata: b\n\n", "message(b)", ""},
        {"half a BOM is text", "\xEF\xBB" "data: a\n\ndata: b\n\n", "message(b)", ""},
        {"bad UTF-8 is replaced", "data: a\xFF\xE2\x82" "b\n\n", "message(a\xEF\xBF\xBD\xEF\xBF\xBD" "b)", ""},
        {"U+2028 ends no line", "data: a\xE2\x80\xA8" "b\n\n", "message(a\xE2\x80\xA8" "b)", ""},
    };
    for (const auto& row : rows) {
        INFO(row.rule);
        std::string last_id;
        CHECK(read({row.wire}, last_id) == row.events);
        CHECK(last_id == row.last_id);
        const std::string_view wire = row.wire;
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            INFO("cut at " << cut);
            CHECK(read({wire.substr(0, cut), wire.substr(cut)}, last_id) == row.events);
            CHECK(last_id == row.last_id);
        }
        std::vector<std::string_view> bytes;
        for (std::size_t i = 0; i < wire.size(); ++i) bytes.push_back(wire.substr(i, 1));
        CHECK(read(bytes, last_id) == row.events);
    }
}
