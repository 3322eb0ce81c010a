#include "protocol/json_seq_parser.hpp"

#include "protocol/stream_format.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_sink.hpp"

TEST_CASE("a media type names the format of a stream") {
    struct Row {
        const char* type;
        sse::StreamFormat format;
    };
    using enum sse::StreamFormat;
    const Row rows[] = {
        {"text/event-stream", event_stream}, {"", event_stream},
        {"application/json", event_stream},  {"Application/X-NDJSON ; charset=utf-8", json_lines},
        {"application/jsonl", json_lines},   {"application/stream+json;x=1", json_lines},
        {"application/json-seq", json_seq},  {"application/geo+json-seq", json_seq}};
    for (const auto& row : rows) {
        INFO(row.type);
        CHECK(sse::stream_format(row.type) == row.format);
    }
}

TEST_CASE("elements of a JSON text sequence are the data of events, however the bytes are cut") {
    struct Row {
        const char *rule, *text, *said;
    };
    const Row rows[] = {
        {"each begins with RS and ends in LF", "\x1e{\"a\":1}\n\x1e[2]\n",
         "message({\"a\":1})message([2])"},
        {"white space around an element is none of it",
         "\x1e \r\n1\t\n\n\x1e"
         "2",
         "message(1)message(2)"},
        {"an element may have several lines", "\x1e{\n1}\n", "message({\n1})"},
        {"empty elements are none",
         "\x1e\n\x1e\x1e"
         "1\n\x1e",
         "message(1)"},
        {"text before the first RS is ignored",
         "x\n\x1e"
         "1\n",
         "message(1)"},
        {"nothing", "", ""},
    };
    for (const auto& row : rows) {
        INFO(row.rule);
        const std::string_view text = row.text;
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
            test::RecordingSink sink;
            sse::JsonSeqParser parser(sink);
            parser.feed(text.substr(0, cut));
            parser.feed(text.substr(cut));
            parser.finish();
            CHECK(sink.text == row.said);
        }
    }
}

TEST_CASE("an element over the bound is an error") {
    test::RecordingSink sink;
    sse::ParserOptions options;
    options.max_event_bytes = 4;
    sse::JsonSeqParser parser(sink, options);
    parser.feed("\x1e"
                "123\n\x1e"
                "12");
    CHECK_THROWS(parser.feed("345"));
    CHECK(sink.text == "message(123)");
}
