// The parser against the HTML standard's rules for reading a stream (9.2.5 and 9.2.6), numbered as
// in lib/protocol/RULES.md. Each row names the rule that it tests.
#include "protocol/parser.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

#include <set>

using namespace std::string_literals;

namespace {

struct Row {
    int rule;
    const char* says;
    std::string wire;
    std::string received; ///< as test::RecordingSink writes it
    std::string last_id;
};

const Row rows[] = {
    {18, "rule 18: it is UTF-8", "data: \xE2\x82\xAC\n\n", "message(\xE2\x82\xAC)", ""},
    {18, "rule 18: bad bytes are U+FFFD, never an error",
     "data: a\xFF\xE2\x82"
     "b\n\n",
     "message(a\uFFFD\uFFFDb)", ""},
    {18, "rule 18: also in a type, an id, a comment", "event: \xFF\nid: \xC0\n:\xFE\ndata\n\n",
     ":\uFFFD;\uFFFD()#\uFFFD", "\uFFFD"},
    {18, "rule 18: a cut character does not swallow the line end", "data: \xF0\x9F\x98\n\n",
     "message(\uFFFD)", ""},
    {19, "rule 19: one leading BOM goes",
     "\xEF\xBB\xBF"
     "data: a\n\n",
     "message(a)", ""},
    {19, "rule 19: exactly one",
     "\xEF\xBB\xBF\xEF\xBB\xBF"
     "data: a\n\ndata: b\n\n",
     "message(b)", ""},
    {19, "rule 19: none later",
     "data: a\n\n\xEF\xBB\xBF"
     "data: b\n\n",
     "message(a)", ""},
    {19, "rule 19: half a BOM is text",
     "\xEF\xBB"
     "data: a\n\ndata: b\n\n",
     "message(b)", ""},
    {19, "rule 19: half a BOM and a line end is a line", "\xEF\nid: 1\n\n", "id=1;", "1"},
    {19, "rule 19: a BOM in data is data", "data: \xEF\xBB\xBF\n\n", "message(\uFEFF)", ""},
    {20, "rule 20: LF ends a line", "data: a\ndata: b\n\n", "message(a\nb)", ""},
    {20, "rule 20: CR ends a line", "data: a\rdata: b\r\r", "message(a\nb)", ""},
    {20, "rule 20: CRLF is one end", "data: a\r\ndata: b\r\n\r\n", "message(a\nb)", ""},
    {20, "rule 20: they may mix", "data: a\rdata: b\n\r\ndata: c\r\n\rdata: d\n\n",
     "message(a\nb)message(c)message(d)", ""},
    {20, "rule 20: LF CR is two ends", "data: a\n\rdata: b\n\r", "message(a)message(b)", ""},
    {21, "rule 21: U+2028 and U+2029 end no line", "data: a\u2028b\u2029c\n\n",
     "message(a\u2028b\u2029c)", ""},
    {21, "rule 21: nor does U+0085", "data: a\u0085b\n\n", "message(a\u0085b)", ""},
    {21, "rule 21: nor VT, FF, FS, GS, RS",
     "data: \v\f\x1C\x1D\x1E"
     ".\n\n",
     "message(\v\f\x1C\x1D\x1E.)", ""},
    {21, "rule 21: nor NUL", "data: a\0b\n\n"s, "message(a\0b)"s, ""},
    {23, "rule 23: an empty line dispatches", "data: a\n\ndata: b\n\n", "message(a)message(b)", ""},
    {23, "rule 23: a line of spaces or tabs is not empty", "data: a\n \n\t\ndata: b\n\n",
     "message(a\nb)", ""},
    {24, "rule 24: a line that begins with a colon is a comment", ": hi\n:\n:data: x\ndata: a\n\n",
     ": hi;:;:data: x;message(a)", ""},
    {24, "rule 24: a comment inside a block does not end it", "event: e\n:x\ndata: a\n\n",
     ":x;e(a)", ""},
    {25, "rule 25: the first colon parts name and value", "data: a: b:c\n\n", "message(a: b:c)",
     ""},
    {25, "rule 25: one space goes, not two, and no tab", "data:  a\ndata:b\ndata:\tc\n\n",
     "message( a\nb\n\tc)", ""},
    {25, "rule 25: a space before the colon is part of the name", "data : a\ndata: b\n\n",
     "message(b)", ""},
    {26, "rule 26: no colon, and the line is a name without value", "data\nevent\nid\n\n",
     "message()#", ""},
    {27, "rule 27: an unfinished block is nothing", "data: a\n\nid: 8\nevent: x\ndata: b\n",
     "message(a)", ""},
    {27, "rule 27: nor is an unfinished line", "data: a\n\ndata: b", "message(a)", ""},
    {27, "rule 27: nor is an unfinished retry", "retry: 10", "", ""},
    {28, "rule 28: event names the type", "event: add\ndata: a\n\n", "add(a)", ""},
    {28, "rule 28: the last one wins", "event: a\nevent: b\ndata\n\n", "b()", ""},
    {28, "rule 28: an empty one resets", "event: a\nevent:\ndata\n\n", "message()", ""},
    {28, "rule 28: names are compared as they are", "Event: a\nDATA: x\ndata: b\n\n", "message(b)",
     ""},
    {29, "rule 29: data lines join with LF", "data: a\ndata: b\ndata:\n\n", "message(a\nb\n)", ""},
    {30, "rule 30: id names the event", "id: 7\ndata: a\n\n", "message(a)#7", "7"},
    {30, "rule 30: an empty id resets", "id: 7\ndata: a\n\nid\ndata: b\n\n",
     "message(a)#7message(b)#", ""},
    {30, "rule 30: with NUL it is ignored, the earlier stays", "id: 7\nid: a\0b\ndata: a\n\n"s,
     "message(a)#7", "7"},
    {30, "rule 30: also over events", "id: 7\n\nid: \0\ndata: a\n\n"s, "id=7;message(a)", "7"},
    {30, "rule 30: any other byte may be in it", "id: \x01 \x7F[{\"a\":1}]\n\n",
     "id=\x01 \x7F[{\"a\":1}];", "\x01 \x7F[{\"a\":1}]"},
    {31, "rule 31: retry is a number, at once", "retry: 10\n", "retry=10;", ""},
    {31, "rule 31: base ten, zeros lead nothing", "retry:03000\nretry: 0\nretry: 000\n",
     "retry=3000;retry=0;retry=0;", ""},
    {31, "rule 31: anything but digits is ignored",
     "retry: +5\nretry: -1\nretry: 1_0\nretry:  5\nretry: 5 \nretry: 5.0\nretry: 0x10\nretry: "
     "\u0665\nretry:\nretry\n",
     "", ""},
    {32, "rule 32: other names are ignored", "foo: bar\n data: x\ndatax: y\ndata: a\n\n",
     "message(a)", ""},
    {33, "rule 33: an id counts without data", "id: 7\n\n", "id=7;", "7"},
    {33, "rule 33: the last id outlives its event", "id: 7\ndata: a\n\ndata: b\n\n",
     "message(a)#7message(b)", "7"},
    {33, "rule 33: an id before the blank line is not yet one",
     "id: 7\ndata: a\n\nid: 8\ndata: b\n", "message(a)#7", "7"},
    {34, "rule 34: no data field, no event", "event: add\nretry: 1\n\ndata: x\n\n",
     "retry=1;message(x)", ""},
    {34, "rule 34: blank lines are no events", "\n\n\r\n\r\r", "", ""},
    {35, "rule 35: one trailing LF is dropped", "data\n\ndata\ndata\n\ndata:\n\n",
     "message()message(\n)message()", ""},
    {36, "rule 36: a type or message",
     "event: message\ndata: a\n\nevent: error\ndata: b\n\ndata: c\n\n",
     "message(a)error(b)message(c)", ""},
    {37, "rule 37: type and data are reset",
     "event: a\ndata: 1\n\ndata: 2\n\nevent: b\n\ndata: 3\n\n", "a(1)message(2)message(3)", ""},
    {38, "rule 38: whatever the sink makes of an event", "event: a\ndata: 1\n\n\n\n", "a(1)", ""},
};

/// The events of these pieces as one text; sets `last_id` to the last event ID at their end.
std::string parse(const std::vector<std::string_view>& feeds, std::string& last_id) {
    test::RecordingSink received;
    sse::Parser parser(received);
    for (const auto feed : feeds) parser.feed(feed);
    last_id = received.last_id;
    parser.finish();
    return received.text;
}

} // namespace

TEST_CASE("Parser holds each rule of the standard, however the bytes are cut") {
    for (const auto& row : rows) {
        INFO(row.says);
        std::string last_id;
        CHECK(parse({row.wire}, last_id) == row.received);
        CHECK(last_id == row.last_id);
        const std::string_view wire = row.wire;
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            INFO("cut at " << cut);
            CHECK(parse({wire.substr(0, cut), wire.substr(cut)}, last_id) == row.received);
            CHECK(last_id == row.last_id);
        }
        CHECK(parse(test::pieces(wire, 1), last_id) == row.received);
        CHECK(last_id == row.last_id);
    }
}

TEST_CASE("Every rule from 18 to 38 that a parser can hold is held by a row") {
    std::set<int> held = {22}; // by the test below: it is about when, not what
    for (const auto& row : rows) {
        CHECK(std::string(row.says).starts_with("rule " + std::to_string(row.rule) + ":"));
        held.insert(row.rule);
    }
    for (int rule = 18; rule <= 38; ++rule) {
        INFO("rule " << rule);
        CHECK(held.count(rule) == 1);
    }
}

TEST_CASE("rule 22: a line is handled when its end has come, not when more comes") {
    test::RecordingSink received;
    sse::Parser parser(received);
    const auto feed = [&](std::string_view bytes) {
        received.text.clear();
        parser.feed(bytes);
        return received.text;
    };
    CHECK(feed("data: a\n") == "");
    CHECK(feed("\n") == "message(a)");
    CHECK(feed("data: b\r\r") == "message(b)"); // an LF may follow, and then belongs to the CR
    CHECK(feed("\n") == "");
    CHECK(feed("data: c\r\n\r") == "message(c)");
    CHECK(feed("\ndata: d\n\n") == "message(d)");
    CHECK(feed("retry: 5\r") == "retry=5;");
    CHECK(feed(":hi\r") == ":hi;");
    CHECK(feed("data: e\r") == "");
    CHECK(feed("") == ""); // nothing came: the LF may still come
    CHECK(feed("\n") == "");
    CHECK(feed("\n") == "message(e)");
}

TEST_CASE(
    "rule 44: the last event id of an earlier connection stays until the stream names another") {
    test::RecordingSink received("41");
    sse::Parser parser(received);
    parser.feed("data: a\n\n");
    CHECK(received.last_id == "41");
    CHECK(received.events.at(0).last_id == "41");
    CHECK(received.text == "message(a)"); // the block itself named none
    parser.feed("id: 42\n");
    CHECK(received.last_id == "41");
    parser.feed("\n");
    CHECK(received.last_id == "42");
    parser.feed("id\n\n");
    CHECK(received.last_id == "");
}

TEST_CASE("H5: a retry of any length is valid, and clamped") {
    struct Retry {
        const char* digits;
        long long ms;
    };
    const Retry table[] = {
        {"0", 0},
        {"2147483646", 2147483646},
        {"2147483647", 2147483647},
        {"2147483648", 2147483647},
        {"4294967296", 2147483647},
        {"9223372036854775808", 2147483647},
        {"18446744073709551616", 2147483647},
        {"9999999999999999999999999999999999999999", 2147483647},
        {"0000000000000000000000000000000000000005", 5},
    };
    for (const auto& row : table) {
        INFO(row.digits);
        test::RecordingSink received;
        sse::Parser parser(received);
        parser.feed("retry: " + std::string(row.digits) + "\n");
        REQUIRE(received.retry);
        CHECK(*received.retry == row.ms);
    }
}

TEST_CASE("Parser tells what it was told to ignore, at any cut") {
    struct Strange {
        std::string wire, warnings;
    };
    const Strange table[] = {
        {"data: a\n\n", ""},
        {"foo: bar\n", "unknown field(foo: bar);unfinished block();"},
        {"foo\n\n", "unknown field(foo);"},
        {"retry: 5s\n\n", "retry is not a number(retry: 5s);"},
        {"id: a\0\n\n"s, "id contains NUL(id: a\0);"s},
        {"data: \xFF\n\n", "invalid UTF-8(\xFF);"},
        {": \xFF\n\n", "invalid UTF-8( \xFF);"},
        {"id: \xFF\nevent: \xFE\n\n",
         "invalid UTF-8(\xFF);"}, // no event: its type is not looked at
        {"data: a", "unfinished block(data: a);"},
        {"data: a\n", "unfinished block();"},
        {":hi", "unfinished block(:hi);"},
        {"data: a\n\n\r", ""},
    };
    for (const auto& row : table) {
        INFO(row.wire);
        const std::string_view wire = row.wire;
        for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
            test::RecordingSink received;
            sse::Parser parser(received);
            parser.feed(wire.substr(0, cut));
            parser.feed(wire.substr(cut));
            parser.finish();
            CHECK(received.warnings == row.warnings);
        }
    }
}

TEST_CASE(
    "A parser that has finished reads the next stream from its start, with the last id kept") {
    test::RecordingSink received;
    sse::Parser parser(received);
    parser.feed("\xEF\xBB\xBFid: 1\ndata: a\n\nevent: x\nid: 2\ndata: half\r");
    parser.finish();
    received.text.clear();
    parser.feed("\n\xEF\xBB\xBF"); // not of the CR before; so no BOM leads
    parser.finish();
    parser.feed("\xEF\xBB\xBF"
                "data: b\n\n");
    CHECK(received.text == "message(b)");
    CHECK(received.last_id == "1");
}

TEST_CASE("What is fed in one piece, of any size, gives the same events as in small ones") {
    const auto parse_in_pieces = [](std::string_view text, std::size_t size) {
        test::RecordingSink sink;
        sse::Parser parser(sink);
        for (const auto piece : test::pieces(text, size)) parser.feed(piece);
        parser.finish();
        return sink.text + sink.warnings;
    };
    for (const std::string_view end : {"\n", "\r", "\r\n"}) {
        for (const std::string_view filling : {"x", "\u00e4", "\u20ac", "\U0001F600", "\xF0\x9F"}) {
            std::string text;
            for (int n = 0; text.size() < 200'000; ++n) {
                text.append("id: ").append(std::to_string(n)).append(end).append("data: ");
                for (int i = 0; i < n % 37 * 7; ++i) text.append(filling);
                text.append(end).append(n % 3 == 0 ? "data:" : ": ").append(end).append(end);
            }
            const auto whole = parse_in_pieces(text, text.size());
            INFO("line end of " << end.size() << ", filled with " << filling);
            CHECK(whole.size() > 100'000);
            CHECK((parse_in_pieces(text, 1400) == whole)); // texts that long are not to be printed
            CHECK((parse_in_pieces(text, 65'537) == whole));
        }
    }
}

TEST_CASE("Rule 30: a NUL is found at every place of an ID of any length") {
    for (std::size_t size = 1; size < 40; ++size) {
        for (std::size_t place = 0; place <= size; ++place) {
            std::string id(size, '\1'); // the bytes nearest to NUL
            const bool bad = place < size;
            if (bad) id[place] = '\0';
            test::RecordingSink received;
            sse::Parser parser(received);
            parser.feed("id: 7\nid: " + id + "\ndata: a\n\n");
            if ((received.last_id == "7") != bad) FAIL(size << ": " << place);
        }
    }
}
