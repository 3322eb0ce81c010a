#include "server/access_log.hpp"
#include "server/handler.hpp"
#include "unit/catch2.hpp"
#include "unit/temporary.hpp"

#include <simdjson.h>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {

sse::Request request(const std::string& target, const std::string& last_event_id = "") {
    sse::Request made;
    made.method = "GET";
    made.target = target;
    const auto mark = target.find('?');
    made.path = target.substr(0, mark);
    made.query = mark == target.npos ? "" : target.substr(mark + 1);
    std::string head = "GET / HTTP/1.1\r\n";
    if (!last_event_id.empty()) head += "Last-Event-ID: " + last_event_id + "\r\n";
    made.head = sse::Head::parse(head + "\r\n");
    return made;
}

std::string line_of(const sse::Request& asked) {
    sse::AccessRecord record("127.0.0.1");
    record.responded(&asked, 200);
    return sse::access_line(record, record.started_steady + 1500ms);
}

std::string member(const std::string& line, const char* name) {
    simdjson::dom::parser parser;
    const auto value = parser.parse(line)[name];
    std::string_view text;
    return value.get(text) == simdjson::SUCCESS ? std::string(text) : "(none)";
}

} // namespace

TEST_CASE("a connection is one line of JSON") {
    sse::AccessRecord record("127.0.0.1");
    record.started = std::chrono::system_clock::time_point(0s);
    const auto asked = request("/feed", "6");
    record.responded(&asked, 200);
    record.streamed({2, 1, "8"});
    record.bytes = 345;
    record.end = sse::EndReason::stalled;
    CHECK(
        sse::access_line(record, record.started_steady + 1500ms) ==
        R"({"time":"1970-01-01T00:00:00.000Z","address":"127.0.0.1","method":"GET","path":"/feed",)"
        R"("status":200,"seconds":1.500000,"requests":1,"events":2,"missed":1,"bytes":345,)"
        R"("last_event_id":"6","last_id":"8","end":"stalled","refusal":null})"
        "\n");
}

TEST_CASE("what a connection had none of is null") {
    sse::AccessRecord record("unix");
    record.end = sse::EndReason::refused;
    record.refusal = sse::Refusal::timeout;
    const auto line = sse::access_line(record, record.started_steady);
    for (const auto* name : {"method", "path", "status", "last_event_id", "last_id"}) {
        CHECK(line.find(std::string("\"") + name + "\":null") != line.npos);
    }
    CHECK(line.find(R"("end":"refused","refusal":"timeout"})") != line.npos);
}

TEST_CASE("tokens in a query are not in the log, however they are spelled") {
    struct Row {
        const char *target, *path;
    };
    const Row rows[] = {
        {"/", "/"},
        {"/?a=1&b=2", "/?a=1&b=2"},
        {"/?access_token=hush", "/?access_token=***"},
        {"/?a=1&access_token=hush&b=2", "/?a=1&access_token=***&b=2"},
        {"/?access%5Ftoken=hush", "/?access%5Ftoken=***"},
        {"/?%61ccess_t%6Fken=hush&x=1", "/?%61ccess_t%6Fken=***&x=1"},
        {"/?a;token=hush", "/?a;token=***"},
        {"http://me:hush@host/x?token=hush", "http://***@host/x?token=***"},
        {"/?", "/?"},
        {"/?&&=", "/?&&="},
        {"/?last_event_id=7", "/?last_event_id=7"},
    };
    for (const auto& row : rows) {
        INFO(row.target);
        const auto line = line_of(request(row.target));
        CHECK(member(line, "path") == row.path);
        CHECK(line.find("hush") == line.npos);
    }
}

TEST_CASE("any bytes of a client are valid JSON, bounded, in one line") {
    std::string bytes;
    for (int c = 0x20; c < 0x100; ++c) {
        if (c != 0x7F) bytes.push_back(static_cast<char>(c));
    }
    const auto odd = line_of(request("/" + bytes, bytes));
    CHECK(member(odd, "last_event_id") != "(none)");
    CHECK(odd.find('\n') == odd.size() - 1);
    const auto decoded = line_of(request("/?last_event_id=a%0d%0ab%00c"));
    CHECK(member(decoded, "last_event_id") == std::string("a\r\nb\0c", 6));
    const auto longest = line_of(request("/" + std::string(10'000, 'x'), std::string(10'000, 'y')));
    CHECK(member(longest, "path").size() == 1024 + 3);
    CHECK(member(longest, "last_event_id").size() == 256 + 3);
}

TEST_CASE("lines are appended whole, from any number of threads, and all are there at the end") {
    const TemporaryFile file;
    {
        file.write("before\n");
        sse::AccessLog log(file.path(), [](const std::string&) {});
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&log] {
                for (int i = 0; i < 1000; ++i) log.add_line("a line of the log\n");
            });
        }
        for (auto& thread : threads) thread.join();
    }
    std::string expected = "before\n";
    for (int i = 0; i < 4000; ++i) expected += "a line of the log\n";
    CHECK(file.read() == expected);
}

TEST_CASE("a full disk is told once, and nothing waits for it") {
    std::vector<std::string> told;
    {
        sse::AccessLog log("/dev/full", [&](const std::string& text) { told.push_back(text); });
        for (int i = 0; i < 100; ++i) log.add_line("x\n");
    }
    CHECK(told == std::vector<std::string>{
                      "cannot write the access log /dev/full: No space left on device"});
}

TEST_CASE("lines beyond what may wait are dropped") {
    const TemporaryFile file;
    {
        sse::AccessLog log(file.path(), [](const std::string&) {}, {10});
        log.add_line("longer than ten\n");
        log.add_line("short\n");
    }
    CHECK(file.read() == "short\n");
}

TEST_CASE("a log that cannot be opened says so") {
    CHECK_THROWS_WITH(sse::AccessLog("/no/such/dir/log", [](const std::string&) {}),
                      "cannot create /no/such/dir/log: No such file or directory");
}
