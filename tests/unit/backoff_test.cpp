#include "client/backoff.hpp"

#include "unit/catch2.hpp"

#include <vector>

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

sse::BackoffOptions short_options() { return {1s, 100ms, 10s, 1h}; }

std::vector<milliseconds> waits(double random, int count,
                                sse::BackoffOptions options = short_options()) {
    sse::Backoff backoff(options, [random] { return random; });
    std::vector<milliseconds> out;
    for (int i = 0; i < count; ++i) out.push_back(backoff.after_failure(std::nullopt));
    return out;
}

} // namespace

TEST_CASE("failures in a row wait at least the reconnection time, and up to twice as long each") {
    CHECK(waits(0.0, 5) == std::vector<milliseconds>{1s, 1s, 1s, 1s, 1s});
    CHECK(waits(0.5, 5) == std::vector<milliseconds>{1500ms, 2500ms, 4500ms, 5500ms, 5500ms});
    const auto longest = waits(0.9999999, 60);
    CHECK(longest[0] >= 1990ms);
    CHECK(longest[0] <= 2s);
    CHECK(longest[59] >= 9990ms);
    CHECK(longest[59] <= 10s);
}

TEST_CASE(
    "a good stream makes the next failure a first one, and waits exactly the reconnection time") {
    sse::Backoff backoff(short_options(), [] { return 0.5; });
    CHECK(backoff.after_end() == 1s);
    for (int i = 0; i < 8; ++i) backoff.after_failure(std::nullopt);
    CHECK(backoff.after_end() == 1s);
    CHECK(backoff.after_failure(std::nullopt) == 5500ms);
    backoff.reset();
    CHECK(backoff.after_failure(std::nullopt) == 1500ms);
}

TEST_CASE("the server's retry is kept as it is, within bounds that stop storms and standstills") {
    sse::Backoff backoff(short_options(), [] { return 0.5; });
    struct Row {
        milliseconds retry, wait;
    };
    for (const auto& [retry, wait] :
         {Row{500ms, 500ms}, Row{2s, 2s}, Row{0ms, 100ms}, Row{1ms, 100ms}, Row{30s, 30s},
          Row{milliseconds(2147483647), 1h}}) {
        backoff.set_reconnection_time(retry);
        CHECK(backoff.after_end() == wait);
    }
    backoff.set_reconnection_time(30s); // longer than failures would make it
    CHECK(backoff.after_failure(std::nullopt) == 30s);
}

TEST_CASE("Retry-After lengthens a wait, never shortens it") {
    sse::Backoff backoff(short_options(), [] { return 0.0; });
    CHECK(backoff.after_failure(0ms) == 1s);
    CHECK(backoff.after_failure(7s) == 7s);
    CHECK(backoff.after_failure(100h) == 1h);
}

TEST_CASE("Retry-After is seconds or a date") {
    const auto now = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 30s;
    CHECK(sse::parse_retry_after("0", now) == 0ms);
    CHECK(sse::parse_retry_after("120", now) == 2min);
    CHECK(sse::parse_retry_after("99999999999999999999", now) == 1'000'000'000s);
    CHECK(sse::parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == 7s);
    CHECK(sse::parse_retry_after("Sun, 06 Nov 1994 08:49:00 GMT", now) == 0s);
    for (const char* bad :
         {"", "-1", "1.5", "soon", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37 GMT",
          "Sun, 36 Nov 1994 08:49:37 GMT", "Sun, x6 Nov 1994 08:49:37 GMT"}) {
        INFO(bad);
        CHECK_FALSE(sse::parse_retry_after(bad, now));
    }
}
