// Readers of input that a stranger chooses, on hostile inputs of a given size, for callgrind to
// count: test_scaling.py doubles the size, and the count may not grow by much more than that.
//
//   scaling                 names the cases, one a line
//   scaling SIZE CASE...    of each case, reads an input of about SIZE bytes within measured(),
//   then
//                           one of twice that
#include "base/canonical_json.hpp"
#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/json_select.hpp"
#include "base/json_string.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"
#include "base/utf8.hpp"
#include "cmd/cli/json_values.hpp"
#include "cmd/tail/event_filter.hpp"
#include "cmd/term/json_view.hpp"
#include "handlers/channels_feed.hpp"
#include "http/head.hpp"
#include "http/response_parser.hpp"
#include "http/url.hpp"
#include "input/decoder.hpp"
#include "input/json_event.hpp"
#include "playback/id_search.hpp"
#include "protocol/chunked.hpp"
#include "protocol/encoder.hpp"
#include "protocol/json_seq_parser.hpp"
#include "protocol/ndjson_parser.hpp"
#include "protocol/parser.hpp"
#include "recording/comparable_body.hpp"
#include "recording/har.hpp"
#include "recording/record_reader.hpp"
#include "server/request_reader.hpp"
#include "unit/temporary.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

volatile std::size_t seen = 0; // so that nothing is left out for having no effect

std::string repeated(std::string_view text, std::size_t size) {
    std::string all;
    while (all.size() < size) all.append(text);
    return all;
}

void read_event(const std::string& json) {
    sse::JsonEventReader reader;
    try {
        seen = seen + reader.read(json).event.data.size();
    } catch (const sse::Error&) {
        seen = seen + 1;
    }
}

void canonicalise(const std::string& json) {
    seen = seen + sse::canonical_json(json).value_or("").size();
}

void find_value(const std::string& json) {
    cmd::JsonValues values;
    seen = seen + values.find(json, "/data").value_or("").size();
}

struct Sink : sse::Parser::Sink, sse::Decoder::Sink {
    void on_event(const sse::EventView& event) override { seen = seen + event.data.size(); }
    void on_comment(std::string_view) override {}
    void on_retry(std::chrono::milliseconds) override {}
    void on_skipped(const std::string&, const std::string&) override {}
};

/// In pieces, so that what is kept between them counts as well.
template <class Reader>
void feed(Reader& reader, std::string_view text, std::size_t piece = 100) {
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), piece)))
        reader.feed(text.substr(0, piece));
    reader.finish();
}

void parse(const std::string& text) {
    Sink sink;
    sse::Parser parser(sink);
    feed(parser, text);
}

void parse_bytes(const std::string& text) {
    Sink sink;
    sse::Parser parser(sink);
    feed(parser, text, 1);
}

void parse_ndjson(const std::string& text) {
    Sink sink;
    sse::NdjsonParser parser(sink);
    feed(parser, text);
}

void parse_json_seq(const std::string& text) {
    Sink sink;
    sse::JsonSeqParser parser(sink);
    feed(parser, text);
}

/// A byte at a time, as a slow client sends it.
void read_request(const std::string& text) {
    sse::RequestReader reader({1'000'000, 1'000'000});
    for (std::size_t at = 0; at < text.size(); ++at) {
        auto piece = std::string_view(text).substr(at, 1);
        seen = seen + static_cast<std::size_t>(reader.feed(piece));
    }
}

void read_list(const std::string& head) {
    seen = seen + sse::Head::parse(head).members("A").size();
}

void read_channels_id(const std::string& id) { seen = seen + sse::parse_channels_id(id).size(); }

void read_recording(const std::string& text) {
    const TemporaryFile file(text);
    const auto reader = sse::open_recording(file.path(), {});
    while (reader->next()) seen = seen + 1;
}

void search_recording(const std::string& text) {
    const TemporaryFile file(text);
    sse::IdSearch search(file.path(), "none", 0, {});
    while (!search.step(std::chrono::steady_clock::time_point::max())) {
    }
}

/// Continues at many places of it, each near the end.
void seek_in_recording(const std::string& text) {
    const TemporaryFile file(text);
    const auto reader = sse::open_recording(file.path(), {});
    for (int i = 0; i < 20; ++i) {
        reader->seek_before([](const sse::Record&) { return false; });
        while (reader->next()) seen = seen + 1;
    }
}

void read_har(const std::string& text) {
    const TemporaryFile file(text);
    sse::RecordingInput input(file.path());
    try {
        sse::read_har(input, [](sse::RecordingHeader header) {
            return std::make_unique<sse::RecordingWriter>("/dev/null", std::move(header));
        });
    } catch (const sse::Error&) {
        seen = seen + 1;
    }
}

void grep(const std::string& text) {
    cmd::SelectOptions options;
    options.grep = {"error.*timeout", "(a*)*b", "(x+x+)+y"};
    seen = seen + cmd::EventFilter(options).wants({"message", text, std::nullopt});
}

void lay_out(const std::string& json) {
    std::string out;
    cmd::append_json_view(json, 0, 80, cmd::colours, out);
    seen = seen + out.size();
}

std::function<void(const std::string&)> decode(sse::InputFormat format, bool split_cr = false) {
    return [format, split_cr](const std::string& text) {
        Sink sink;
        sse::DecoderOptions options;
        options.split_cr = split_cr;
        const auto decoder = sse::Decoder::make(format, sink, options);
        feed(*decoder, text);
    };
}

void read_chunks(const std::string& text) {
    sse::ChunkedDecoder decoder;
    for (std::string_view rest = text; !rest.empty() && !decoder.done();)
        seen = seen + decoder.next(rest).size();
}

void encode(const std::string& text) {
    std::string out;
    sse::encode({"message", text, std::nullopt}, out);
    seen = seen + out.size();
}

void join_halves(const std::string& json) {
    std::string text, out;
    sse::append_json_text(json, text);
    sse::SurrogateJoiner joiner;
    joiner.append(text, out);
    joiner.finish(out);
    seen = seen + out.size();
}

struct ResponseSink : sse::ResponseParser::Sink {
    void on_interim(const sse::Head&) override { seen = seen + 1; }
    void on_head(const sse::Head& head, int, const sse::ResponseFraming&) override {
        seen = seen + head.fields().size();
    }
    void on_body_piece(std::string_view bytes) override { seen = seen + bytes.size(); }
    void on_response_end(std::string_view trailers) override { seen = seen + trailers.size(); }
};

std::function<void(const std::string&)> read_response(std::size_t piece) {
    return [piece](const std::string& text) {
        ResponseSink sink;
        sse::ResponseParser parser("GET", 10'000'000);
        for (std::string_view rest = text; !rest.empty();
             rest.remove_prefix(std::min(rest.size(), piece)))
            parser.feed(rest.substr(0, piece), sink);
        parser.finish(sink);
    };
}

void mask_values(const std::string& json) {
    sse::JsonPointers pointers;
    pointers.add("/*/k");
    seen = seen + sse::mask_json(json, pointers).value_or("").size();
}

/// Compares the body of a request with a recorded one that has nothing in common with it, and with
/// one that differs in its last bytes.
void match_body(const std::string& text) {
    sse::JsonPointers ignored;
    ignored.add("/*/k");
    const sse::BodyMatch match(ignored);
    const auto body = sse::comparable_body(text);
    auto other = body;
    other.text.insert(other.text.size() - 2, "0");
    for (const auto& recorded : {other, sse::comparable_body("{\"other\":\"***\"}")})
        seen = seen + match.distance(recorded, body) + match.difference(recorded, body).size();
}

/// A JSON object with one name of about `size` bytes, of an array of as many.
std::string long_name(std::size_t size) {
    return "{\"" + repeated("a", size / 2) + "\":[" + repeated("1,", size / 2) + "1]}";
}

struct Case {
    std::string_view name;
    std::function<std::string(std::size_t size)> input;
    std::function<void(const std::string&)> read;
};

std::function<std::string(std::size_t)> filled(std::string before, std::string part,
                                               std::string after) {
    return [=](std::size_t size) { return before + repeated(part, size) + after; };
}

const std::array cases{
    Case{"json event: a number that is malformed at its end", filled("{\"data\":", "1", ".}"),
         read_event},
    Case{"json event: a number of many digits", filled("{\"data\":", "1", "}"), read_event},
    Case{"json event: many numbers, one too large", filled("{\"data\":[1e400", ",1", "]}"),
         read_event},
    Case{"json event: many minus signs", filled("{\"data\":[1e400,", "-", "]}"), read_event},
    Case{"json event: many numbers without commas", filled("{\"data\":[", "1e400 ", "]}"),
         read_event},
    Case{"json event: many keys", filled("{", "\"k\":1e400,", "\"data\":1}"), read_event},
    Case{"json event: many escapes", filled("{\"a\":1e400,\"data\":\"", "\\\\", "\"}"), read_event},
    Case{"json event: many open brackets", filled("{\"data\":1e400", "[", ""), read_event},
    Case{"canonical json: one number", filled("", "9", ""), canonicalise},
    Case{"canonical json: a long fraction", filled("0.", "0", "1e-5"), canonicalise},
    Case{"canonical json: keys that begin alike", filled("{\"\":0", ",\"aaaaaaaaaaaaaaaa\":1", "}"),
         canonicalise},
    Case{"pointer: many keys", filled("{", "\"k\":[1],", "\"data\":1}"), find_value},
    Case{"pointer: many escapes", filled("{\"data\":\"", "\\ud83d", "\"}"), find_value},
    Case{"event stream: one data field of many lines", filled("", "data:\n", "\n"), parse},
    Case{"event stream: one long line", filled("data:", "x", "\n\n"), parse},
    Case{"event stream: one long line, byte by byte", filled("data:", "x", "\n\n"), parse_bytes},
    Case{"event stream: many data fields, byte by byte",
         filled("", "data: 0123456789abcdef\n", "\n"), parse_bytes},
    Case{"event stream: events ended by CR, byte by byte", filled("", "data: 0123\r\r", ""),
         parse_bytes},
    Case{"event stream: comments, byte by byte", filled("", ":\n", ""), parse_bytes},
    Case{"event stream: ill-formed UTF-8, byte by byte", filled("", "data: \xFF\xE2\x82\n\n", ""),
         parse_bytes},
    Case{"event stream: types", filled("", "event: x\n", ""), parse},
    Case{"event stream: blank lines", filled("", "\r\n\n\r", ""), parse},
    Case{"event stream: ids", filled("", "id:1\n", "\n"), parse},
    Case{"event stream: a retry of many digits", filled("retry:", "9", "\n"), parse},
    Case{"ndjson: one long line", filled("", "x", "\n"), parse_ndjson},
    Case{"ndjson: blank lines", filled("", "\n", ""), parse_ndjson},
    Case{"input: json lines", filled("", "{\"data\":1e400}\n", ""), decode(sse::InputFormat::json)},
    Case{"input: lines", filled("", "x\r\n", ""), decode(sse::InputFormat::lines)},
    Case{"input: lines at carriage returns", filled("", "\rx", ""),
         decode(sse::InputFormat::lines, true)},
    Case{"input: one block", filled("", "x\n", ""), decode(sse::InputFormat::blocks)},
    Case{"chunks of one byte", filled("", "1\r\nx\r\n", "0\r\n\r\n"), read_chunks},
    Case{"encode: line ends", filled("", "\r", ""), encode},
    Case{"halves of surrogate pairs", filled("\"", "\\ud83d", "\""), join_halves},
    Case{"ill-formed UTF-8", filled("", "\xF0\x9F", ""),
         [](const std::string& text) {
             std::string out;
             sse::append_utf8(text, out);
             seen = seen + out.size();
         }},
    Case{"text for a terminal", filled("", "\x1b\u202e", ""),
         [](const std::string& text) {
             std::string out;
             sse::append_printable(text, out);
             seen = seen + out.size();
         }},
    Case{"request: one long field", filled("GET / HTTP/1.1\r\nHost: h\r\nA: ", "x", "\r\n\r\n"),
         read_request},
    Case{"request: many fields", filled("GET / HTTP/1.1\r\nHost: h\r\n", "A: 1\r\n", "\r\n"),
         read_request},
    Case{"request: a long target", filled("GET /?", "a=%41&", " HTTP/1.1\r\nHost: h\r\n\r\n"),
         read_request},
    Case{"request: empty lines", filled("", "\r\n", ""), read_request},
    Case{"request: chunks of one byte",
         filled("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n",
                "0\r\n\r\n"),
         read_request},
    Case{"head: a list of many members", filled("GET / HTTP/1.1\r\nA: ", "x,,", "\r\n\r\n"),
         read_list},
    Case{"ids of channels: many", filled("", "a=1&", ""), read_channels_id},
    Case{"ids of channels: one escaped", filled("a=", "%41", ""), read_channels_id},
    Case{"ids of channels: no names", filled("", "=&", ""), read_channels_id},
    Case{"recording: event-stream text", filled("", "data: x\nid: 1\n\n", ""), read_recording},
    Case{"recording: one long event", filled("", "data: x\n", "\n"), read_recording},
    Case{"recording: json lines", filled("", "{\"a\":1}\n", ""), read_recording},
    Case{"recording: search for an ID", filled("", "data: x\nid: 1\n\n", ""), search_recording},
    Case{"recording: search in comments", filled("", ": x\n", ""), search_recording},
    Case{"recording: seek", filled("", "data: x\nid: 1\n\n", ""), seek_in_recording},
    Case{"har: a body of many events",
         filled(R"({"log":{"version":"1.2","entries":[{"startedDateTime":"2026-01-01T00:00:00Z",)"
                R"("request":{"method":"GET","url":"http://h/"},"response":{"status":200,)"
                R"("headers":[{"name":"Content-Type","value":"text/event-stream"}],)"
                R"("content":{"mimeType":"text/event-stream","text":")",
                "data: x\\n\\n", R"("}}}]}})"),
         read_har},
    Case{"har: many entries", filled(R"({"log":{"version":"1.2","entries":[)", "{},", "{}]}}"),
         read_har},
    Case{"grep: many beginnings of a match", filled("", "error ", ""), grep},
    Case{"grep: nested repetition", filled("", "ax", ""), grep},
    Case{"pretty: deep brackets", filled("", "[", ""), lay_out},
    Case{"pretty: many short arrays", filled("[", "[[1]],", "1]"), lay_out},
    Case{"pretty: one long string", filled("[\"", "\\u65e5", "\"]"), lay_out},
    Case{"pretty: deep objects on one line",
         filled("[[[[[[[[[[[[[[[[[[", "{\"a\":1},", "1]]]]]]]]]]]]]]]]]]"), lay_out},
    Case{"json seq: one long text", filled("\x1e", "x", "\n"), parse_json_seq},
    Case{"json seq: empty texts", filled("", "\x1e", "\n"), parse_json_seq},
    Case{"response: many fields", filled("HTTP/1.1 200 OK\r\n", "A:b\r\n", "\r\n"),
         read_response(100)},
    Case{"response: one folded field, byte by byte",
         filled("HTTP/1.1 200 OK\r\nA: b\r\n", " c\r\n", "\r\n"), read_response(1)},
    Case{"response: interim heads", filled("", "HTTP/1.1 100 C\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
         read_response(100)},
    Case{"masking: many values", filled("[", "{\"k\":1},", "{}]"), mask_values},
    Case{"masking: deep brackets that do not end", filled("", "[", ""), mask_values},
    Case{"matching: a long name of many values", long_name, match_body},
    Case{"matching: many ignored values", filled("[", "{\"k\":1},", "{}]"), match_body},
    Case{"matching: a multipart body of many boundaries", filled("--a\r\n", "--a", "\r\n--a--\r\n"),
         match_body},
    Case{"a URL", filled("http://h/", "/../%41", ""),
         [](const std::string& text) {
             seen = seen + sse::Url::parse(text).resolve("../x").text().size();
         }},
    Case{"a glob of stars", filled("", "a", ""),
         [](const std::string& text) { seen = seen + sse::matches_glob("*a*a*a*b", text); }},
    Case{"a URL to mask", filled("http://h/?", "token=a&", ""),
         [](const std::string& text) { seen = seen + sse::mask_url(text).size(); }},
};

} // namespace

/// What callgrind counts (--toggle-collect=measured).
extern "C" [[gnu::noinline]] void measured(const Case& which, const std::string& input);
extern "C" void measured(const Case& which, const std::string& input) {
    which.read(input);
    seen = seen + 1;
}

int main(int argc, char** argv) {
    if (argc < 3) {
        for (const auto& which : cases) std::printf("%s\n", std::string(which.name).c_str());
        return 0;
    }
    const auto size = std::strtoul(argv[1], nullptr, 10);
    for (const std::string_view name : std::vector<std::string_view>(argv + 2, argv + argc)) {
        const auto which = std::find_if(cases.begin(), cases.end(),
                                        [name](const Case& each) { return each.name == name; });
        if (which == cases.end()) return 2;
        measured(*which, which->input(size));
        measured(*which, which->input(2 * size));
    }
}
