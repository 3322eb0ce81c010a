// The encoder. Rule numbers are those of lib/protocol/RULES.md.
#include "base/error.hpp"
#include "protocol/encoder.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <random>

using namespace std::string_literals;

namespace {

std::string encoded(const sse::Event& event) {
    std::string out;
    sse::encode(event.view(), out);
    return out;
}

sse::Event made(std::string type, std::string data, std::optional<std::string> id = {}) {
    sse::Event event;
    event.type = std::move(type), event.data = std::move(data), event.id = std::move(id);
    return event;
}

/// Collects what a parser reads, as events that own their bytes.
struct Collector : sse::Parser::Sink {
    std::vector<sse::Event> events;
    std::vector<std::string> others;
    void on_event(const sse::EventView& e) override { events.emplace_back(e); }
    void on_id(std::string_view id) override { others.emplace_back(id); }
    void on_comment(std::string_view c) override { others.emplace_back(c); }
    void on_retry(std::chrono::milliseconds) override { others.emplace_back("retry"); }
    void on_warning(sse::ParseWarning warning, std::string_view) override {
        others.emplace_back(sse::to_string(warning));
    }
};

std::vector<sse::Event> parsed(std::string_view wire) {
    Collector collector;
    sse::Parser parser(collector);
    parser.feed(wire);
    parser.finish();
    CHECK(collector.others.empty());
    return collector.events;
}

} // namespace

TEST_CASE("encode writes one block, and any line end in data makes a further data line") {
    struct Row {
        const char* rule;
        sse::Event event;
        std::string wire;
    };
    const Row rows[] = {
        {"data alone", made("message", "a"), "data: a\n\n"},
        {"no data is an empty data line", made("message", ""), "data: \n\n"},
        {"a type", made("add", "a"), "event: add\ndata: a\n\n"},
        {"an empty type is message", made("", "a"), "data: a\n\n"},
        {"an id", made("message", "a", "7"), "data: a\nid: 7\n\n"},
        {"an empty id resets", made("message", "a", ""), "data: a\nid: \n\n"},
        {"all of it", made("add", "a\nb", "7"), "event: add\ndata: a\ndata: b\nid: 7\n\n"},
        {"rule 43: LF", made("message", "a\nb"), "data: a\ndata: b\n\n"},
        {"rule 43: CR", made("message", "a\rb"), "data: a\ndata: b\n\n"},
        {"rule 43: CRLF is one", made("message", "a\r\nb"), "data: a\ndata: b\n\n"},
        {"rule 43: LF CR is two", made("message", "a\n\rb"), "data: a\ndata: \ndata: b\n\n"},
        {"rule 43: at the ends", made("message", "\ra\r\n"), "data: \ndata: a\ndata: \n\n"},
        {"rule 43: one CR and nothing", made("message", "\r"), "data: \ndata: \n\n"},
        {"U+2028 and NUL are data", made("message", "\u2028\0"s), "data: \u2028\0\n\n"s},
        {"a space is kept by the one before it", made(" x ", " y ", " z "),
         "event:  x \ndata:  y \nid:  z \n\n"},
        {"data that looks like a field", made("message", "id: 9\n:c\ndata: x"),
         "data: id: 9\ndata: :c\ndata: data: x\n\n"},
        {"rule 39: it is UTF-8, bad bytes or not", made("\xFE", "a\xFF", "\xE2\x82"),
         "event: \uFFFD\ndata: a\uFFFD\nid: \uFFFD\n\n"},
    };
    for (const auto& row : rows) {
        INFO(row.rule);
        CHECK(encoded(row.event) == row.wire);
    }
}

TEST_CASE("encode refuses what would let a type or an id write lines of its own") {
    struct Row {
        sse::Event event;
        std::string what;
    };
    const Row rows[] = {
        {made("a\nb", ""), "event type contains LF"},
        {made("a\rdata: x", ""), "event type contains CR"},
        {made("a\0b"s, ""), "event type contains NUL"},
        {made("\n", ""), "event type contains LF"},
        {made("message\n", ""), "event type contains LF"},
        {made("a\n", "", "7"), "event type contains LF"},
        {made("a", "", "1\ndata: injected\n\n"), "id contains LF"},
        {made("a", "", "1\r"), "id contains CR"},
        {made("a", "", "\0"s), "id contains NUL"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        std::string out = "before";
        try {
            sse::encode(row.event.view(), out);
            FAIL("was not refused");
        } catch (const sse::Error& e) {
            CHECK(e.code() == sse::Errc::bad_input);
            CHECK(e.what() == row.what);
        }
        CHECK(out == "before");
    }
}

TEST_CASE("Comments and retries are blocks of their own, which cannot be left") {
    struct Row {
        std::string text, wire;
    };
    const Row rows[] = {
        {" ping", ": ping\n\n"}, {"", ":\n\n"},
        {"a\nb", ":a\n:b\n\n"},  {"a\rdata: b\r\n\r\nc", ":a\n:data: b\n:\n:c\n\n"},
        {"\xFF", ":\uFFFD\n\n"},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        std::string out;
        sse::encode_comment(row.text, out);
        CHECK(out == row.wire);
    }
    std::string out;
    sse::encode_retry(std::chrono::milliseconds(2500), out);
    CHECK(out == "retry: 2500\n\n");
}

TEST_CASE("parse(encode(e)) == e, but that CR in data comes back as LF") {
    std::mt19937 random(43);
    const std::string_view alphabet[] = {
        "a",      "b",     ":", " ",      "\t",         "\n",     "\r",   "\r\n",
        "data: ", "id: 9", "é", "\u2028", "\U0001F600", "\uFEFF", "\x7F", "{\"a\":1}"};
    const auto draw = [&](bool lines) {
        std::string text;
        for (auto length = random() % 12; length > 0; --length) {
            const auto piece = alphabet[random() % std::size(alphabet)];
            if (lines || piece.find_first_of("\r\n") == piece.npos) text += piece;
        }
        return text;
    };
    std::string wire;
    std::vector<sse::Event> events;
    for (int i = 0; i < 20'000; ++i) {
        auto event = made(draw(false), draw(true));
        if (random() % 2 != 0) event.id = draw(false);
        sse::encode(event.view(), wire);
        if (event.type.empty()) event.type = "message";
        std::string data; // as the standard reads it
        for (std::size_t at = 0; at < event.data.size(); ++at) {
            const bool crlf = event.data.compare(at, 2, "\r\n") == 0;
            data.push_back(event.data[at] == '\r' ? '\n' : event.data[at]);
            if (crlf) ++at;
        }
        event.data = data;
        events.push_back(std::move(event));
    }
    const auto read = parsed(wire);
    REQUIRE(read.size() == events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        INFO(i);
        REQUIRE(read[i] == events[i]);
    }
}
