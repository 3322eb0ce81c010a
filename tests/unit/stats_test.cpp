#include "cmd/cli/duration.hpp"
#include "cmd/tail/stats.hpp"
#include "unit/catch2.hpp"

#include <string>

using namespace std::chrono_literals;
using Clock = cmd::Stats::Clock;

namespace {

struct Told {
    Clock::time_point now{1h};
    cmd::Stats stats{{2, 1000, [this] { return now; }}};

    void event(std::size_t stream, std::string_view type, std::string_view data,
               bool printed = true, std::optional<std::string_view> id = std::nullopt) {
        stats.event(stream, {type, data, id}, printed);
    }
};

} // namespace

TEST_CASE("Stats name sse check where events arrive in bursts") {
    Told told;
    const auto stream = told.stats.add("http://a/");
    const auto burst = [&](int events, Clock::duration pause) {
        told.now += pause;
        for (int i = 0; i < events; ++i, told.now += 1ms) told.event(stream, "message", "");
    };
    const auto names_it = [&] {
        return told.stats.text().find("sse check http://a/") != std::string::npos;
    };
    burst(5, 0ms); // what a server has at the start
    burst(3, 2s);
    burst(2, 2s);
    burst(3, 500ms);
    CHECK_FALSE(names_it());
    burst(3, 1s);
    CHECK(names_it());
}

TEST_CASE("Stats tell times, types, gaps and sizes, as text and as JSON") {
    Told told;
    const auto a = told.stats.add("http://a/"), b = told.stats.add("http://b/\x1b");
    const auto started = told.now;
    told.now += 30ms;
    told.stats.responded(a, {started, 1ms, 2ms, 3ms, 20ms});
    told.now += 10ms;
    told.event(a, "message", "12345", true, "7");
    told.stats.reconnected(a);
    told.stats.responded(a, {told.now, 9s, 9s, std::nullopt, 9s}); // only the first is kept
    told.now += 1s;
    told.event(a, "x\ny", "1", false);
    told.now += 3s;
    told.event(a, "third", "");
    told.stats.bytes(20'000);
    told.now += 960ms;
    CHECK(told.stats.text() ==
          "sse: stats: http://a/: resolve 1.00ms, connect 2.00ms, TLS 3.00ms, first byte 20.0ms, "
          "first event 40.0ms, reconnects 1\n"
          "sse: stats: http://b/\\x1b: never opened, reconnects 0\n"
          "sse: stats: events 3, printed 2, 20.0 kB in 5.00s: 0.6 events/s, 4024 B/s\n"
          "sse: stats: types: message 1, x\\x0ay 1, others 1\n"
          "sse: stats: gaps: p50 1.00s, p90 3.00s, p99 3.00s, max 3.00s\n"
          "sse: stats: largest: 5 bytes of data, message #7\n");
    CHECK(told.stats.json() ==
          R"({"seconds":5.000000,"streams":[)"
          R"({"url":"http://a/","resolve":0.001000,"connect":0.002000,"tls":0.003000,)"
          R"("first_byte":0.020000,"first_event":0.040000,"reconnects":1},)"
          R"({"url":"http://b/\u001b","resolve":null,"connect":null,"tls":null,)"
          R"("first_byte":null,"first_event":null,"reconnects":0}],)"
          R"("events":3,"printed":2,"types":{"message":1,"x\ny":1},"other_types":1,)"
          R"("bytes":20000,"events_per_second":0.603622,"bytes_per_second":4024.144869,)"
          R"("gaps":{"count":2,"p50":1.000342,"p90":3.000000,"p99":3.000000,"max":3.000000},)"
          R"("largest":{"bytes":5,"event":"message","id":"7"}})"
          "\n");
    CHECK(b == 1);
}

TEST_CASE("the line that lives tells the rate since it was asked last") {
    Told told;
    const auto a = told.stats.add("http://a/");
    CHECK(told.stats.line() == "0 events, 0/s");
    for (int i = 0; i < 10; ++i) told.event(a, "message", "");
    told.now += 2s;
    CHECK(told.stats.line() == "10 events, 5/s, 2.00s since the last one");
    told.now += 1s;
    CHECK(told.stats.line() == "10 events, 0/s, 3.00s since the last one");
}

TEST_CASE("durations for people have three digits") {
    const std::pair<std::chrono::nanoseconds, const char*> rows[] = {
        {0ns, "0.00us"},     {1ns, "0.00us"},     {999us, "999us"}, {999'600ns, "1.00ms"},
        {9'990us, "9.99ms"}, {9'996us, "10.0ms"}, {123ms, "123ms"}, {59'900ms, "59.9s"},
        {60s, "1m00s"},      {3599s, "59m59s"},   {3661s, "1h01m"}, {100h, "100h00m"}};
    for (const auto& [value, text] : rows) CHECK(cmd::rough_duration(value) == text);
}

TEST_CASE("Stats keep little of a long type") {
    Told told;
    told.stats.add("http://a/");
    const std::string long_type(1'000'000, 'x');
    told.event(0, long_type + "1", "");
    told.event(0, long_type + "2", "");
    CHECK(told.stats.json().size() < 5000);
    CHECK(told.stats.json().find(std::string(1000, 'x') + "\":2") != std::string::npos);
}
