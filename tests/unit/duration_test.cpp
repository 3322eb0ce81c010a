#include "cmd/cli/duration.hpp"

#include "base/error.hpp"
#include "unit/catch2.hpp"

using namespace std::chrono_literals;

TEST_CASE("durations as people type them") {
    struct Row {
        const char* text;
        std::chrono::nanoseconds value;
    };
    const Row rows[] = {
        {"5s", 5s},
        {"250ms", 250ms},
        {"1.5m", 90s},
        {"2h", 2h},
        {"1d", 24h},
        {"7", 7s},
        {"0", 0s},
        {".5", 500ms},
        {"3.", 3s},
        {"0.25", 250ms},
        {"10us", 10us},
        {"1ns", 1ns},
        {"0.0000000001", 0s},
        {"36500d", 876'000h},
        {"1m30s", 90s},
        {"1h02m03.5s", 3723500ms},
        {"2d1ms", 48h + 1ms},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(cmd::parse_duration(row.text) == row.value);
    }
}

TEST_CASE("what is not a duration is quoted, with examples") {
    for (const char* text : {"",
                             "s",
                             "ms",
                             ".",
                             "5x",
                             "5 s",
                             " 5s",
                             "-1s",
                             "+1",
                             "1.2.3s",
                             "1e3",
                             "5sec",
                             "1m30",
                             "30s1m",
                             "1m1m",
                             "1m s",
                             "1m.s",
                             "36500d1ns",
                             "36501d",
                             "99999999999999999999",
                             "99999999999999999999ns"}) {
        INFO(text);
        CHECK_THROWS_WITH(cmd::parse_duration(text),
                          "\"" + std::string(text) +
                              "\" is not a duration such as 5s, 250ms, 1m30s or 2h");
    }
}

TEST_CASE("a duration is shown in the largest unit that divides it") {
    CHECK(cmd::format_duration(0s) == "0s");
    CHECK(cmd::format_duration(90s) == "90s");
    CHECK(cmd::format_duration(120s) == "2m");
    CHECK(cmd::format_duration(1500ms) == "1500ms");
    for (const std::chrono::nanoseconds value : {1ns, 17000ns, 250000000ns, 3000000000ns}) {
        CHECK(cmd::parse_duration(cmd::format_duration(value)) == value);
    }
}
