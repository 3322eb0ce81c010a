#include "recording/event_text_reader.hpp"

#include "unit/catch2.hpp"
#include "unit/recording_text.hpp"
#include "unit/temporary.hpp"

using namespace std::chrono_literals;

namespace {

std::unique_ptr<sse::RecordReader> open(const TemporaryFile& file,
                                        sse::RecordingReaderOptions options = {}) {
    return sse::open_recording(file.path(), options);
}

std::string read(const std::string& text, sse::RecordingReaderOptions options = {}) {
    const TemporaryFile file(text);
    std::string out;
    try {
        out = describe_rest(*open(file, options));
    } catch (const sse::Error& e) {
        out = e.what();
    }
    for (auto at = out.find(file.path()); at != out.npos; at = out.find(file.path()))
        out.replace(at, file.path().size(), "F");
    return out;
}

} // namespace

TEST_CASE("event-stream text is read as records at time 0") {
    struct Row {
        const char *rule, *text, *said;
    };
    const Row rows[] = {
        {"one of each", ": hi\nretry: 5\nid: 7\nevent: add\ndata: a\ndata: b\n\nid: 8\n\n",
         "0.000000 : hi\n0.000000 retry=5\n0.000000 add(a\nb)#7\n0.000000 id=8\n"},
        {"any line ends", "data: a\r\rdata: b\r\n\r\ndata: c\n\n",
         "0.000000 message(a)\n0.000000 message(b)\n0.000000 message(c)\n"},
        {"a byte order mark, blank lines before", "\xEF\xBB\xBF\n\ndata: a\n\n",
         "0.000000 message(a)\n"},
        {"a CR at the end dispatches", "data: a\r\r", "0.000000 message(a)\n"},
        {"a CR at the end of a longer line", ":a\n: hello world\r",
         "0.000000 :a\n0.000000 : hello world\n"},
        {"JSON lines with a CR at the end", "{\"b\":1}\n{\"a\":123456789}\r",
         "0.000000 message({\"b\":1})\n0.000000 message({\"a\":123456789})\n"},
        {"an unfinished end", "data: a\n\ndata: b\nda",
         "0.000000 message(a)\nwarning: F:4: the last event is incomplete and was skipped"},
        {"a head of curl -i, after another",
         "HTTP/1.1 301 Moved\r\nLocation: x\r\n\r\nHTTP/2 200 \r\nA:  b \r\n\r\ndata: a\n\n",
         "0.000000 message(a)\n"},
        {"a status line that is none", "HTTP/1.1 abc\r\n\r\n", "F:1: not an HTTP status line"},
        {"a field that is none", "HTTP/1.1 200 OK\r\nabc\r\n\r\n", "F:2: not a header field"},
        {"a torn head", "HTTP/1.1 200 OK\r\nA: b",
         "F:2: the response head is incomplete: nothing was captured"},
        {"another text", "hello\n", "F:1: not a recording: not a JSON object"},
        {"a HAR file", "{\n \"log\": {}}", "F: a HAR file is not a single recording"},
    };
    for (const auto& row : rows) {
        INFO(row.rule);
        for (const std::size_t size : {1u, 2u, 3u, 7u, 65536u}) {
            INFO("buffer of " << size);
            sse::RecordingReaderOptions options;
            options.buffer_bytes = size;
            CHECK(read(row.text, options) == row.said);
        }
    }
}

TEST_CASE("the last head of a capture is the answer's") {
    const TemporaryFile file("HTTP/1.1 302 F\nA: x\n\nHTTP/2 201\nContent-Type:text/event-stream\n"
                             "Set-Cookie: a\nSet-Cookie: b\n\n");
    const auto reader = open(file);
    CHECK(reader->header().response.status == 201);
    CHECK(reader->header().response.headers ==
          sse::RecordedFields{
              {"Content-Type", "text/event-stream"}, {"Set-Cookie", "a"}, {"Set-Cookie", "b"}});
}

TEST_CASE("event-stream text goes on at any record that it gave") {
    const std::string text = "HTTP/1.1 200 OK\n\n: 1\nretry: 2\ndata: 3\n\n\n: 4\n: 5\nid: 6\n\n"
                             "\ndata: 7\n\n";
    const TemporaryFile file(text);
    const auto reader = open(file);
    std::vector<sse::RecordingPlace> places;
    std::vector<std::string> rests;
    while (reader->next() != nullptr) places.push_back(reader->place());
    REQUIRE(places.size() == 7);
    for (std::size_t i = 0; i < places.size(); ++i) {
        INFO(i);
        if (i > 0) CHECK(places[i - 1].before(places[i]));
        reader->seek(places[i]);
        std::size_t count = 0;
        std::string first;
        while (const auto* record = reader->next()) {
            if (count++ == 0) first = describe(*record);
        }
        CHECK(count == places.size() - i);
        CHECK(first.find(std::to_string(i + 1)) != first.npos);
    }
    reader->rewind();
    CHECK(describe(*reader->next()) == "0.000000 : 1");
}

TEST_CASE("text that grows gives each record once, when it is whole") {
    const std::string text = ": 1\r\ndata: 2\r\n\r\nid: 3\r\rdata: 4\n\n";
    const TemporaryFile file(":\n");
    auto growing = std::make_shared<std::atomic<bool>>(true);
    sse::RecordingReaderOptions options;
    options.growing = growing;
    const auto reader = open(file, options);
    std::string said, whole = ":\n";
    for (const char c : text) {
        file.write(whole += c);
        said += describe_rest(*reader);
    }
    CHECK(said == "0.000000 :\n0.000000 : 1\n0.000000 message(2)\n0.000000 id=3\n"
                  "0.000000 message(4)\n");
    file.write(whole += "data: 5");
    CHECK(describe_rest(*reader) == "");
    *growing = false;
    CHECK(describe_rest(*reader).find("incomplete") != std::string::npos);
}

TEST_CASE("a file that is cut while it is read is an error with its place") {
    for (const std::string text :
         {"{\"sse\":1}\n{\"t\":0,\"data\":\"\"}\n", ": hi\n\ndata: a\n\n"}) {
        const TemporaryFile file(text);
        const auto reader = open(file);
        reader->next();
        file.write("{}\n");
        const auto said = describe_rest(*reader);
        CHECK(said.find(": the file was truncated to 3 bytes while it was read") != said.npos);
    }
}
