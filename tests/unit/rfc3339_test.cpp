#include "base/rfc3339.hpp"

#include "unit/catch2.hpp"

using namespace std::chrono_literals;

TEST_CASE("times are RFC 3339 in UTC") {
    const std::chrono::sys_days day = std::chrono::year(2026) / 2 / 3;
    CHECK(sse::rfc3339(day + 4h + 5min + 6s + 7ms) == "2026-02-03T04:05:06.007Z");
    CHECK(sse::rfc3339(day + 4h + 5min + 6s + 999'999us) == "2026-02-03T04:05:06.999Z");
    CHECK(sse::rfc3339({}) == "1970-01-01T00:00:00.000Z");
    CHECK(sse::rfc3339(std::chrono::system_clock::time_point(-1ms)) == "1969-12-31T23:59:59.999Z");
    std::string out = "at ";
    sse::append_rfc3339(day + 1s, out);
    CHECK(out == "at 2026-02-03T00:00:01.000Z");
}

TEST_CASE("RFC 3339 is read with any offset, as microseconds since 1970") {
    struct Row {
        const char* text;
        std::optional<std::chrono::microseconds> time;
    };
    const Row rows[] = {
        {"1970-01-01T00:00:00Z", 0us},
        {"1970-01-01T00:00:01.5z", 1'500ms},
        {"1970-01-01T01:00:00.000001+01:00", 1us},
        {"1970-01-01T00:00:00-00:30", 30min},
        {"1970-01-01T00:00:00", std::nullopt},
        {"1969-12-31T23:59:59Z", std::nullopt},
        {"2262-01-01T00:00:00Z", std::nullopt},
        {"yesterday", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(sse::parse_rfc3339(row.text) == row.time);
    }
}
