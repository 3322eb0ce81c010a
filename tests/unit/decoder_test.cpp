#include "input/decoder.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

using namespace std::string_literals;
using sse::InputFormat;

namespace {

/// What came of an input as one short text: `type(data)#id`, `:comment;`, `retry=ms;`, and
/// `!where: why;` for what was skipped.
struct ReceivedEvent : sse::Decoder::Sink {
    std::string text;
    void on_event(const sse::EventView& e) override {
        // As an encoder would: what the format cannot carry is refused.
        if (e.id && e.id->find_first_of("\r\n\0"s) != std::string_view::npos)
            throw sse::Error(sse::Errc::bad_input, "id cannot be carried");
        text.append(e.type).append("(").append(e.data).append(")");
        if (e.id) text.append("#").append(*e.id);
    }
    void on_comment(std::string_view comment) override {
        text.append(":").append(comment).append(";");
    }
    void on_retry(std::chrono::milliseconds ms) override {
        text.append("retry=").append(std::to_string(ms.count())).append(";");
    }
    void on_skipped(const std::string& where, const std::string& why) override {
        text.append("!").append(where).append(": ").append(why).append(";");
    }
};

std::string decoded(InputFormat format, const sse::DecoderOptions& options,
                    const std::vector<std::string_view>& feeds) {
    ReceivedEvent received;
    const auto decoder = sse::Decoder::make(format, received, options);
    for (const auto feed : feeds) decoder->feed(feed);
    decoder->finish();
    return received.text;
}

struct Row {
    const char* rule;
    InputFormat format;
    std::string input, events;
    std::size_t max_event_bytes = 1000;
    std::string type = "";
};

const Row rows[] = {
    {"a line is an event", InputFormat::lines, "a\nb\n", "message(a)message(b)"},
    {"a last line without a line end counts", InputFormat::lines, "a\nb", "message(a)message(b)"},
    {"CRLF ends a line as LF does", InputFormat::lines, "a\r\nb\r", "message(a)message(b)"},
    {"an empty line is an event", InputFormat::lines, "\n\r\na\n", "message()message()message(a)"},
    {"a CR elsewhere is data", InputFormat::lines, "a\rb\n", "message(a\rb)"},
    {"NUL and U+2028 are data", InputFormat::lines, "a\0b\n\xe2\x80\xa8\n"s,
     "message(a\0b)message(\xe2\x80\xa8)"s},
    {"what looks like a field is data", InputFormat::lines, ": a\ndata: b\n x\n",
     "message(: a)message(data: b)message( x)"},
    {"a long line is skipped, by its number", InputFormat::lines, "a\nbbbb\nc\n",
     "message(a)!line 2: longer than 3 bytes;message(c)", 3},
    {"a long last line, too", InputFormat::lines, "a\nbbbb",
     "message(a)!line 2: longer than 3 bytes;", 3},
    {"a line at the bound is whole", InputFormat::lines, "aaa\nbbb", "message(aaa)message(bbb)", 3},
    {"lines take the type asked for", InputFormat::lines, "a\n", "add(a)", 1000, "add"},
    {"no input, no event", InputFormat::lines, "", ""},

    {"a block of lines is an event", InputFormat::blocks, "a\nb\n\nc\n", "message(a\nb)message(c)"},
    {"several blank lines are as one", InputFormat::blocks, "\n\na\n\n\n\nb",
     "message(a)message(b)"},
    {"a blank line may end in CRLF", InputFormat::blocks, "a\r\nb\r\n\r\nc\r\n",
     "message(a\nb)message(c)"},
    {"a line of spaces is not blank", InputFormat::blocks, "a\n \nb\n", "message(a\n \nb)"},
    {"blank lines alone are nothing", InputFormat::blocks, "\n\n\n", ""},
    {"a long block is skipped, by its first line", InputFormat::blocks, "a\n\nbb\nbb\nb\n\nc\n",
     "message(a)!the block at line 3: longer than 4 bytes;message(c)", 4},
    {"so is a block with a long line", InputFormat::blocks, "a\nbbbbb\nc\n\nd",
     "!the block at line 1: longer than 4 bytes;message(d)", 4},
    {"a block at the bound is whole", InputFormat::blocks, "a\nbb\n\nc", "message(a\nbb)message(c)",
     4},
    {"blocks take the type asked for", InputFormat::blocks, "a\n\n", "add(a)", 1000, "add"},

    {"NUL ends an event", InputFormat::nul, "a\nb\0c\0"s, "message(a\nb)message(c)"},
    {"the last NUL may be missing", InputFormat::nul, "a\0b"s, "message(a)message(b)"},
    {"a CR before NUL is data", InputFormat::nul, "a\r\0"s, "message(a\r)"},
    {"two NULs hold an empty event", InputFormat::nul, "a\0\0"s, "message(a)message()"},
    {"a long event is skipped, by its number", InputFormat::nul, "a\0bbbb\0c"s,
     "message(a)!event 2: longer than 3 bytes;message(c)", 3},

    {"a JSON object is an event", InputFormat::json,
     R"({"event":"e","id":"1","data":"x"})"
     "\n",
     "e(x)#1"},
    {"data that is no string is its JSON text", InputFormat::json,
     "{\"data\": {\"a\": [1.50, 10000000000000000000000]}}\n",
     R"(message({"a":[1.50,10000000000000000000000]}))"},
    {"numbers have no bound", InputFormat::json,
     "{\"id\":12345678901234567890123,\"data\":[1e400,-0.0,\"1e400\\\"\"]}\n",
     R"(message([1e400,-0.0,"1e400\""])#12345678901234567890123)"},
    {"and must be numbers", InputFormat::json,
     "{\"data\":01}\n{\"data\":[1.e400]}\n{\"data\":1234567890123456789012x}\n",
     "!line 1: not JSON: a number is malformed;!line 2: not JSON: a number is malformed;"
     "!line 3: not JSON: a number is malformed;"},
    {"a retry that is too large is refused", InputFormat::json,
     "{\"retry\":99999999999999999999999}\n", "!line 1: retry is not a number of milliseconds;"},
    {"a comment and a retry may come alone", InputFormat::json,
     "{\"comment\":\" hi\"}\n{\"retry\":5}\n", ": hi;retry=5;"},
    {"a line that is not JSON is skipped, by its number", InputFormat::json,
     "{\"data\":\"a\"}\n[1]\n{\"data\":\"b\"}\n",
     "message(a)!line 2: not a JSON object;message(b)"},
    {"an id that cannot be carried is skipped, by its line", InputFormat::json,
     "\n{\"id\":\"a\\nb\",\"data\":\"a\"}\n{\"id\":\"a\\u0000b\",\"data\":\"a\"}\n",
     "!line 2: id cannot be carried;!line 3: id cannot be carried;"},
    {"a long JSON line is skipped", InputFormat::json, "{\"data\":\"aaaaaaaaaaaa\"}\n{\"data\":1}",
     "!line 1: longer than 12 bytes;message(1)", 12},

    {"event-stream text keeps ids, types and comments", InputFormat::sse,
     "id: 7\nevent: e\ndata: a\ndata: b\n\n: c\n\nretry: 9\n\n", "e(a\nb)#7: c;retry=9;"},
    {"what has no blank line at the end is told", InputFormat::sse, "data: a\n\ndata: b",
     "message(a)!event 2: the input ends before the blank line of the last event;"},
    {"a long event of event-stream text is skipped up to its blank line", InputFormat::sse,
     "data: a\n\nid: 2\ndata: bbbbb\ndata: cccccc\nevent: d\n: e\nretry: 5\n\ndata: f\n\n",
     "message(a)!event 2: longer than 12 bytes;message(f)", 12},
    {"so is one in one line, whatever ends it", InputFormat::sse,
     "data: aaaaaaaaa\r\n\r\ndata: b\r\rdata: ccccccccccc\r\rdata: d\r\n\n",
     "!event 1: longer than 12 bytes;message(b)!event 3: longer than 12 bytes;message(d)", 12},
    {"one that has no blank line is told once", InputFormat::sse,
     "data: a\n\ndata: bbbbbbbbbbbb\nx", "message(a)!event 2: longer than 12 bytes;", 12},
};

} // namespace

TEST_CASE("Decoder turns each format into events, at every cut") {
    for (const auto& row : rows) {
        INFO(row.rule);
        sse::DecoderOptions options;
        options.max_event_bytes = row.max_event_bytes;
        options.event = row.type;
        REQUIRE(decoded(row.format, options, {row.input}) == row.events);
        REQUIRE(decoded(row.format, options, test::pieces(row.input, 1)) == row.events);
        for (std::size_t cut = 0; cut <= row.input.size(); ++cut) {
            const std::string_view input = row.input;
            REQUIRE(decoded(row.format, options, {input.substr(0, cut), input.substr(cut)}) ==
                    row.events);
        }
    }
}

TEST_CASE("lines are split at CR as well, if asked") {
    const Row cr[] = {
        {"a CR ends a line", InputFormat::lines, "10%\r20%\rdone\n",
         "message(10%)message(20%)message(done)"},
        {"a CR may come first", InputFormat::lines, "\r10%\r20%\n", "message(10%)message(20%)"},
        {"CRLF is one end", InputFormat::lines, "a\r\nb\r\n", "message(a)message(b)"},
        {"an empty line needs an LF", InputFormat::lines, "a\n\n\r\r\r\nb",
         "message(a)message()message()message(b)"},
        {"a long line is skipped", InputFormat::lines, "aaaa\rb\raaaa\r\nc",
         "!line 1: longer than 3 bytes;message(b)!line 3: longer than 3 bytes;message(c)", 3},
        {"NUL-terminated text is not split", InputFormat::nul, "a\rb\0"s, "message(a\rb)"},
    };
    for (const auto& row : cr) {
        INFO(row.rule);
        sse::DecoderOptions options;
        options.split_cr = true;
        options.max_event_bytes = row.max_event_bytes;
        CHECK(decoded(row.format, options, test::pieces(row.input, 1)) == row.events);
        for (std::size_t cut = 0; cut <= row.input.size(); ++cut) {
            const std::string_view input = row.input;
            CHECK(decoded(row.format, options, {input.substr(0, cut), input.substr(cut)}) ==
                  row.events);
        }
    }
}
