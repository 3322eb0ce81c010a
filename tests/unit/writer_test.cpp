#include "recording/writer.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"
#include "unit/recording_text.hpp"
#include "unit/temporary.hpp"

#include <csignal>
#include <filesystem>
#include <functional>
#include <sys/resource.h>

using namespace std::chrono_literals;
using sse::RecordingWriter;

namespace {

sse::RecordingHeader header() {
    sse::RecordingHeader it;
    it.started = "2026-11-22T05:00:00.123Z";
    it.tool = "test";
    return it;
}
const std::string first_line = R"({"sse":1,"started":"2026-11-22T05:00:00.123Z","tool":"test"})"
                               "\n";

std::string error_of(const std::function<void()>& what) {
    try {
        what();
    } catch (const sse::Error& e) {
        return e.what();
    }
    return "none";
}

} // namespace

TEST_CASE("each kind of line is written as sse-recording(5) has it") {
    struct Row {
        std::function<void(RecordingWriter&)> write;
        std::string line;
    };
    const Row rows[] = {
        {[](auto& w) {
             w.event(512'034us, {"delta", "x\ny", "7"});
         },
         R"({"t":0.512034,"event":"delta","id":"7","data":"x\ny"})"},
        {[](auto& w) {
             w.event(0us, {"message", "", std::nullopt});
         },
         R"({"t":0.000000,"data":""})"},
        {[](auto& w) {
             w.event(0us, {"message", "a", ""});
         },
         R"({"t":0.000000,"id":"","data":"a"})"},
        {[](auto& w) { w.id(1us, "8"); }, R"({"t":0.000001,"id":"8"})"},
        {[](auto& w) { w.comment(15s, " ping"); }, R"({"t":15.000000,"comment":" ping"})"},
        {[](auto& w) { w.retry(100ms, 3s); }, R"({"t":0.100000,"retry":3000})"},
        {[](auto& w) {
             w.open(1200ms, {{200, {{"A", "b"}}}, "6"});
         },
         R"({"t":1.200000,"open":{"status":200,"headers":{"A":"b"},"last_event_id":"6"}})"},
        {[](auto& w) { w.open(0us, {}); }, R"({"t":0.000000,"open":{"headers":{}}})"},
        {[](auto& w) {
             w.close(1100ms, {"eof", ""});
         },
         R"({"t":1.100000,"close":"eof"})"},
        {[](auto& w) {
             w.close(0us, {"error", "why"});
         },
         R"({"t":0.000000,"close":"error","message":"why"})"},
        {[](auto& w) { w.bytes(10ms, "data: x\n\n"); }, R"({"t":0.010000,"bytes":"data: x\n\n"})"},
        {[](auto& w) { w.bytes(0us, "\xc3"); }, R"({"t":0.000000,"base64":"ww=="})"},
    };
    for (const auto& row : rows) {
        const TemporaryFile file;
        RecordingWriter writer(file.path(), header());
        row.write(writer);
        writer.finish();
        CHECK(file.read() == first_line + row.line + "\n");
        CHECK(writer.written() == file.read().size());
    }
}

TEST_CASE("the first line holds request and answer, secrets masked unless asked otherwise") {
    auto it = header();
    it.url = "https://u:p@h/v1?key=k";
    it.request = {"POST", {{"Authorization", "Bearer x"}, {"Accept", "*/*"}}, "{\"a\":1}"};
    it.response = {200, {{"Set-Cookie", "a"}, {"X", "1"}, {"Set-Cookie", "b"}}};
    const TemporaryFile file;
    const auto written = [&](bool mask) {
        sse::RecordingWriterOptions options;
        options.mask = mask;
        RecordingWriter(file.path(), it, options).finish();
        return file.read();
    };
    CHECK(
        written(true) ==
        R"({"sse":1,"started":"2026-11-22T05:00:00.123Z","tool":"test","url":"https://***@h/v1?key=***",)"
        R"("request":{"method":"POST","headers":{"Authorization":"***","Accept":"*/*"},"body":"{\"a\":1}"},)"
        R"("response":{"status":200,"headers":{"Set-Cookie":["***","***"],"X":"1"}}})"
        "\n");
    const auto open = written(false);
    CHECK(open.find("***") == open.npos);
    CHECK(open.find(R"("Set-Cookie":["a","b"])") != open.npos);
}

TEST_CASE("lines wait for a flush, or for a full buffer") {
    const TemporaryFile file;
    sse::RecordingWriterOptions options;
    options.buffer_bytes = 100;
    RecordingWriter writer(file.path(), header(), options);
    CHECK(file.read() == first_line);
    writer.comment(1s, "a");
    CHECK(file.read() == first_line);
    writer.flush();
    CHECK(file.read().ends_with("\"a\"}\n"));
    for (int i = 0; i < 4; ++i) writer.comment(2s, "bbb");
    CHECK(file.read().ends_with("\"bbb\"}\n"));
}

TEST_CASE("time never goes back") {
    const TemporaryFile file;
    RecordingWriter writer(file.path(), header());
    writer.comment(5s, "a");
    writer.comment(4s, "b");
    writer.finish();
    CHECK(file.read().ends_with("{\"t\":5.000000,\"comment\":\"b\"}\n"));
}

TEST_CASE("a failed write names the file, and keeps failing") {
    CHECK(error_of([] { RecordingWriter("/nowhere/x", header()); }) ==
          "cannot create /nowhere/x: No such file or directory");
    CHECK(error_of([] { RecordingWriter("/dev/full", header()); }) ==
          "cannot write /dev/full: No space left on device");
}

TEST_CASE("a disk that fills up leaves whole lines") {
    const TemporaryFile file;
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    RecordingWriter writer(file.path(), header());
    auto small = before;
    small.rlim_cur = 150;
    ::setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 10; ++i) writer.comment(1s, "line");
    const auto first = error_of([&] { writer.flush(); });
    const auto second = error_of([&] { writer.flush(); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(first == "cannot write " + file.path() + ": File too large");
    CHECK(second == first);
    const auto text = file.read();
    CHECK(text.size() > first_line.size());
    CHECK(text.ends_with("}\n"));
    CHECK(writer.written() == text.size());
}

TEST_CASE("under a name that ends in .gz it is gzipped, and can be read at any moment") {
    const TemporaryFile name;
    const auto path = name.path() + ".gz";
    std::string said;
    {
        RecordingWriter writer(path, header());
        for (int i = 0; i < 3; ++i) {
            const auto before = std::filesystem::file_size(path);
            writer.comment(1s, "line");
            writer.flush();
            CHECK(std::filesystem::file_size(path) > before);
            said += "1.000000 :line\n";
            // As a kill would leave it.
            CHECK(describe_file(path) == said + "warning: " + path + ":" + std::to_string(i + 2) +
                                             ": the gzip data ends early");
        }
        writer.event(2s, {"message", std::string(300'000, 'x'), std::nullopt});
        CHECK(writer.finish());
        CHECK(writer.written() == std::filesystem::file_size(path));
        CHECK(writer.written() < 3000);
    }
    CHECK(describe_file(path) == said + "2.000000 message(" + std::string(300'000, 'x') + ")\n");
    std::filesystem::remove(path);
}

TEST_CASE("a disk that fills up leaves gzip that can be read to there") {
    const TemporaryFile name;
    const auto path = name.path() + ".gz";
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    RecordingWriter writer(path, header());
    writer.comment(1s, "first");
    writer.flush();
    auto small = before;
    small.rlim_cur = writer.written() + 5;
    ::setrlimit(RLIMIT_FSIZE, &small);
    writer.comment(1s, "second");
    const auto error = error_of([&] { writer.flush(); });
    ::setrlimit(RLIMIT_FSIZE, &before);
    CHECK(error == "cannot write " + path + ": File too large");
    CHECK(describe_file(path) ==
          "1.000000 :first\nwarning: " + path + ":2: the gzip data ends early");
    CHECK(writer.written() == std::filesystem::file_size(path));
    std::filesystem::remove(path);
}

TEST_CASE("a line that no reader would take is not written") {
    const TemporaryFile file;
    sse::RecordingWriterOptions options;
    options.max_line_bytes = 200;
    RecordingWriter writer(file.path(), header(), options);
    CHECK(error_of([&] { writer.comment(0us, std::string(200, 'x')); }) ==
          file.path() + ": a line of 227 bytes exceeds the limit of 200");
    writer.comment(0us, "next");
    writer.finish();
    CHECK(file.read() == first_line + "{\"t\":0.000000,\"comment\":\"next\"}\n");
}
