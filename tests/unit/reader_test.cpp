#include "recording/reader.hpp"

#include "recording/writer.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_text.hpp"
#include "unit/temporary.hpp"

#include <fcntl.h>
#include <zlib.h>

using namespace std::chrono_literals;

namespace {

const std::string head = "{\"sse\":1}\n";

/// What reading `text` gives, the file's name taken out.
std::string read(const std::string& text, sse::RecordingReaderOptions options = {}) {
    const TemporaryFile file(text);
    auto out = describe_file(file.path(), options);
    for (auto at = out.find(file.path()); at != out.npos; at = out.find(file.path())) {
        out.replace(at, file.path().size(), "F");
    }
    return out;
}

std::string gzip(const std::string& text) {
    const TemporaryFile file;
    const auto gz = gzopen(file.path().c_str(), "wb");
    gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
    gzclose(gz);
    return file.read();
}

std::string a_recording() {
    const TemporaryFile file;
    sse::RecordingWriter writer(file.path(), {});
    writer.event(1ms, {"delta", "x\ny\"\\\u2028", "7"});
    writer.event(2ms, {"message", "", std::nullopt});
    writer.id(3ms, "8");
    writer.comment(4ms, " ping");
    writer.retry(5ms, 3s);
    writer.close(6ms, {"reset", "why"});
    writer.open(7ms, {{200, {{"a", "b"}}}, "8"});
    writer.bytes(8ms, "data: x\n");
    writer.bytes(9ms, "\xc3");
    writer.finish();
    return file.read();
}
const std::string what_it_says =
    "0.001000 delta(x\ny\"\\\u2028)#7\n0.002000 message()\n0.003000 id=8\n0.004000 : ping\n"
    "0.005000 retry=3000\n0.006000 close reset why\n0.007000 open 200 after 8\n"
    "0.008000 bytes(data: x\n)\n0.009000 bytes(\xc3)\n";

} // namespace

TEST_CASE("what is written is read back") { CHECK(read(a_recording()) == what_it_says); }

TEST_CASE("a recording cut anywhere behind its first line reads to the cut") {
    const auto whole = a_recording();
    for (auto cut = whole.find('\n'); cut < whole.size(); ++cut) {
        INFO("cut at " << cut);
        const auto said = read(whole.substr(0, cut));
        const auto warning = said.find("warning: ");
        CHECK(what_it_says.starts_with(said.substr(0, warning)));
        const bool torn = cut > 0 && whole[cut] != '\n' && whole[cut - 1] != '\n';
        CHECK((warning != said.npos) == torn);
        CHECK(said.find("error") == said.npos);
    }
}

TEST_CASE("a recording cut within its first line says so") {
    CHECK(read("") == "error: F: the file is empty: nothing was recorded");
    CHECK(read(head.substr(0, 8)) ==
          "error: F:1: the first line is incomplete: nothing was recorded");
}

TEST_CASE("lines are read the same whatever the size of the buffer") {
    const auto whole = a_recording();
    for (std::size_t size = 1; size < 300; ++size) {
        sse::RecordingReaderOptions options;
        options.buffer_bytes = size;
        INFO("buffer of " << size);
        CHECK(read(whole, options) == what_it_says);
    }
}

TEST_CASE("what a reader must ignore") {
    struct Row {
        const char *rule, *lines, *said;
    };
    const Row rows[] = {
        {"unknown keys", R"({"t":1,"x":{"y":[1,"}"]},"data":"a","z":null})",
         "1.000000 message(a)\n"},
        {"lines of unknown keys only", "{\"t\":1,\"future\":true}\n{\"t\":2,\"data\":\"a\"}",
         "2.000000 message(a)\n"},
        {"blank lines", "\n  \n{\"t\":2,\"data\":\"a\"}\n\n", "2.000000 message(a)\n"},
        {"CR before LF", "{\"t\":2,\"data\":\"a\"}\r\n", "2.000000 message(a)\n"},
        {"the order of keys", R"({"data":"a","id":"1","event":"e","t":2})", "2.000000 e(a)#1\n"},
        {"white space", "  { \"t\" : 2 , \"data\" : \"a\" }  ", "2.000000 message(a)\n"},
        {"an empty type is none", R"({"t":2,"event":"","data":"a"})", "2.000000 message(a)\n"},
        {"escapes in keys", R"({"\u0074":2,"d\u0061ta":"a"})", "2.000000 message(a)\n"},
    };
    for (const auto& row : rows) {
        INFO(row.rule);
        CHECK(read(head + row.lines) == row.said);
    }
}

TEST_CASE("t is read to the microsecond") {
    struct Row {
        const char *t, *said;
    };
    const Row rows[] = {{"0", "0.000000"},         {"15", "15.000000"},
                        {"15.0", "15.000000"},     {"1e1", "10.000000"},
                        {"0.0000004", "0.000000"}, {"0.0000006", "0.000001"},
                        {"-0.0", "0.000000"},      {"999999999.999999", "999999999.999999"},
                        {"0.1000001", "0.100000"}};
    for (const auto& row : rows) {
        CHECK(read(head + "{\"t\":" + row.t + ",\"data\":\"\"}\n") ==
              std::string(row.said) + " message()\n");
    }
}

TEST_CASE("a first line that is none") {
    struct Row {
        const char *line, *error;
    };
    const Row rows[] = {
        {"hello\n", "F:1: not a recording: not a JSON object"},
        {"data: x\n\n", "F:1: not a recording: not a JSON object"},
        {"\n", "F:1: not a recording: not a JSON object"},
        {"[1]\n", "F:1: not a recording: not a JSON object"},
        {"{\"a\":1}\n", "F:1: not a recording: the first line has no key sse"},
        {"{\"sse\":\"1\"}\n", "F:1: not a recording: sse is not a whole number"},
        {"{\"sse\":0}\n", "F:1: not a recording: recording version 0 does not exist"},
        {"{\"sse\":2}\n",
         "F:1: recording version 2 is newer than 1, the newest version that this program reads"},
        {"{\"sse\":1,\"response\":{\"status\":99}}\n",
         "F:1: not a recording: status 99 is not between 100 and 599"},
        {"{\"sse\":1,\"response\":{\"headers\":{\"a\":\"b\\r\\nc: d\"}}}\n",
         "F:1: not a recording: a header contains CR"},
        {"{\"sse\":1,\"response\":{\"headers\":{\"a b\":\"\"}}}\n",
         "F:1: not a recording: a header's name is not a token"},
    };
    for (const auto& row : rows) {
        INFO(row.line);
        CHECK(read(row.line) == std::string("error: ") + row.error);
    }
}

TEST_CASE("a bad line is an error with its place, and what was before it is given") {
    struct Row {
        std::string line, error;
    };
    const Row rows[] = {
        {"x", "not a JSON object"},
        {"[]", "not a JSON object"},
        {"{", "not a JSON object"},
        {"{\"t\":2,\"data\":\"a\"", "not a JSON object"},
        {"{\"t\":2,\"data\":\"a\"} x", "not a JSON object"},
        {"{\"t\":2,\"data\":\"a\"}{}", "unexpected text after the JSON object"},
        {"{\"data\":\"a\"}", "no t"},
        {"{\"t\":\"2\",\"data\":\"a\"}", "t is not a number"},
        {"{\"t\":null,\"data\":\"a\"}", "t is not a number"},
        {"{\"t\":-1,\"data\":\"a\"}", "t is negative: -1"},
        {"{\"t\":0.5,\"data\":\"a\"}", "t decreases from 1.000000 to 0.500000"},
        {"{\"t\":1e10,\"data\":\"a\"}", "t is too large: 10000000000"},
        {"{\"t\":2,\"data\":1}", "data is not a string"},
        {"{\"t\":2,\"data\":\"\\ud800\"}", "data is not a well-formed string"},
        {"{\"t\":2,\"data\":\"\xff\"}", "not UTF-8"},
        {"{\"t\":2,\"event\":\"a\"}", "an event without data"},
        {"{\"t\":2,\"event\":\"a\\nb\",\"data\":\"\"}", "event contains LF"},
        {"{\"t\":2,\"id\":\"a\\rb\",\"data\":\"\"}", "id contains CR"},
        {"{\"t\":2,\"id\":\"a\\u0000b\",\"data\":\"\"}", "id contains NUL"},
        {"{\"t\":2,\"id\":7,\"data\":\"\"}", "id is not a string"},
        {"{\"t\":2,\"retry\":-1}", "retry is negative: -1"},
        {"{\"t\":2,\"retry\":1.5}", "retry is not a whole number of milliseconds"},
        {"{\"t\":2,\"comment\":\"a\",\"data\":\"b\"}", "both comment and data"},
        {"{\"t\":2,\"base64\":\"a\"}", "base64 is not base64"},
        {"{\"t\":2,\"open\":1}", "open is not an object"},
    };
    for (const auto& row : rows) {
        INFO(row.line);
        const auto before = head + "{\"t\":1,\"data\":\"first\"}\n";
        CHECK(read(before + row.line + "\n{\"t\":3,\"data\":\"\"}\n") ==
              "1.000000 message(first)\nerror: F:3: " + row.error);
    }
}

TEST_CASE("a line over the bound is an error with its place") {
    sse::RecordingReaderOptions options;
    options.max_line_bytes = 100;
    const auto line_of = [](std::size_t bytes) {
        return "{\"t\":1,\"data\":\"" + std::string(bytes - 17, 'x') + "\"}\n";
    };
    CHECK(read(head + line_of(100), options) == "1.000000 message(" + std::string(83, 'x') + ")\n");
    CHECK(read(head + line_of(101), options) == "error: F:2: the line is longer than 100 bytes");
    CHECK(read(std::string(1000, 'x'), options) == "error: F:1: the line is longer than 100 bytes");
}

TEST_CASE("gzipped recordings are read, cut ones to the cut") {
    const auto packed = gzip(a_recording());
    CHECK(read(packed) == what_it_says);
    const auto line = std::string("{\"t\":1,\"data\":\"a\"}\n");
    CHECK(read(gzip(head) + gzip(line) + gzip(line)) ==
          "1.000000 message(a)\n1.000000 message(a)\n");
    const auto cut = read(packed.substr(0, packed.size() - 9));
    CHECK(cut.find("warning: F:") != cut.npos);
    auto broken = packed;
    broken[broken.size() - 6] ^= 1; // of the checksum
    CHECK(read(broken).find("error: F: gzip: incorrect data check") != std::string::npos);
}

TEST_CASE("a reader goes on at a place that it gave, in plain and gzipped files") {
    for (const auto& bytes : {a_recording(), gzip(a_recording())}) {
        const TemporaryFile file(bytes);
        sse::RecordingReader reader(file.path());
        reader.next();
        reader.next();
        const auto place = reader.place();
        CHECK(place.line == 3);
        CHECK(place.t == 2ms);
        const auto rest = describe_rest(reader);
        reader.seek(place);
        CHECK(describe_rest(reader) == "0.002000 message()\n" + rest);
        sse::RecordingReader other(file.path());
        other.seek(place);
        CHECK(describe_rest(other) == "0.002000 message()\n" + rest);
    }
}

TEST_CASE("a growing file gives each line once, when it is whole") {
    const auto whole = a_recording();
    const auto first = whole.find('\n') + 1;
    const TemporaryFile file(whole.substr(0, first));
    sse::RecordingReaderOptions options;
    options.growing = std::make_shared<const std::atomic<bool>>(true);
    options.buffer_bytes = 16;
    sse::RecordingReader reader(file.path(), options);
    const int fd = ::open(file.path().c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    std::string said;
    for (auto at = first; at < whole.size(); ++at) {
        REQUIRE(::write(fd, &whole[at], 1) == 1);
        said += describe_rest(reader);
    }
    ::close(fd);
    CHECK(said == what_it_says);
}

TEST_CASE("a directory, a missing file") {
    CHECK(describe_file("/tmp") == "error: cannot read /tmp: Is a directory");
    CHECK(describe_file("/nowhere") == "error: cannot open /nowhere: No such file or directory");
}
