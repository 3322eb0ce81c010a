#include "cmd/bench/amounts.hpp"
#include "cmd/bench/bar.hpp"
#include "cmd/bench/event_time.hpp"
#include "load/block_end.hpp"
#include "load/load_fairness.hpp"
#include "unit/catch2.hpp"

#include <cmath>
#include <string>

using namespace std::chrono_literals;

namespace {

bool near(double a, double b) { return std::abs(a - b) < 1e-9; }

} // namespace

TEST_CASE("blocks end behind a blank line, whatever ends the lines") {
    struct Row {
        std::string text;
        std::size_t end;
    };
    const Row rows[] = {
        {"", 0},
        {"data: a", 0},
        {"data: a\n", 0},
        {"data: a\r\n", 0},
        {"data: a\r", 0},
        {"data: a\n\n", 9},
        {"data: a\n\ndata: b\n", 9},
        {"data: a\r\n\r\ndata", 11},
        {"data: a\r\r", 9},
        {"data: a\n\r", 9},
        {"data: a\n\r\n", 10},
        {"data: a\r\n\n", 10},
        {"\ndata: a\n", 1},
        {"\r\n", 2},
        {": a\n\n: b\n\n: c", 10},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(sse::end_of_blocks(row.text) == row.end);
    }
    CHECK(sse::end_of_blocks("a\n\nb\nc", 4) == 0);
}

TEST_CASE("times in data are understood as servers write them") {
    const auto ns = [](const char* text) {
        const auto time = cmd::parse_event_time(text);
        return time ? time->count() : -1;
    };
    CHECK(ns("1795000000") == 1'795'000'000'000'000'000);
    CHECK(ns("1795000000.5") == 1'795'000'000'500'000'000);
    CHECK(ns("1795000000123") == 1'795'000'000'123'000'000);
    CHECK(ns("1795000000123456") == 1'795'000'000'123'456'000);
    CHECK(ns("1795000000123456789") == 1'795'000'000'123'456'789);
    CHECK(ns("2026-11-18T11:06:40.5Z") == 1'795'000'000'500'000'000);
    for (const char* text : {"", "now", "-1", "1e30", "12 h", "nan", "99999999999999999999"})
        CHECK(ns(text) == -1);
}

TEST_CASE("a bar is a figure, a comparison and a limit") {
    cmd::BenchRun run;
    run.load.deliveries = 10;
    run.load.ledger.lost = 2;
    for (const auto value : {1ms, 2ms, 300ms}) run.load.delivery.add(value);
    const auto figures = cmd::figures_of(run);
    struct Row {
        const char* text;
        bool holds;
    };
    const Row rows[] = {
        {"lost=2", true},          {"lost = 2", true},        {"lost==2", true},
        {"lost=0", false},         {"lost<=2", true},         {"lost<2", false},
        {"lost>=2", true},         {"lost>2", false},         {"deliveries>9.5", true},
        {"p50<2.01ms", true},      {"p50<1ms", false},        {"delivery.max<=301ms", true},
        {"p99.9>299ms", true},     {"max<5m", true},          {"connect.p99<1h", false}, // unknown
        {"connect.count=0", true}, {"client.memory=0", true},
    };
    for (const auto& row : rows) {
        INFO(row.text);
        CHECK(cmd::holds(cmd::parse_bar(row.text), figures) == row.holds);
    }
    CHECK(cmd::told(cmd::parse_bar("lost=0"), figures) == "lost is 2");
    CHECK(cmd::told(cmd::parse_bar("max<1s"), figures) == "max is 300ms");
    CHECK(cmd::told(cmd::parse_bar("skew.max<1s"), figures) == "skew.max is unknown");
    for (const char* text :
         {"", "lost", "=0", "lots=0", "p99<250", "p99<-1ms", "lost=1x", "lost=nan"}) {
        INFO(text);
        CHECK_THROWS_AS(cmd::parse_bar(text), sse::Error);
    }
}

TEST_CASE("fairness is told by a few numbers") {
    const auto equal = sse::load_fairness({0.5, 0.5, 0.5, 0.5});
    CHECK(near(equal.jain, 1));
    CHECK(near(equal.order_correlation, 0));
    const auto one = sse::load_fairness({0, 0, 0, 4});
    CHECK(near(one.jain, 0.25));
    CHECK(near(one.slowest_percent, 4));
    CHECK(near(one.others, 0));
    CHECK(near(sse::load_fairness({1, 2, 3, 4}).order_correlation, 1));
    CHECK(near(sse::load_fairness({4, 3, 2, 1}).order_correlation, -1));
    CHECK(near(sse::load_fairness({}).jain, 1));
    CHECK(near(sse::load_fairness({0, 0}).jain, 1));
}

TEST_CASE("numbers are short and exact enough for people") {
    CHECK(cmd::with_commas(0) == "0");
    CHECK(cmd::with_commas(999) == "999");
    CHECK(cmd::with_commas(1'234'567) == "1,234,567");
    CHECK(cmd::rate_text(0.5) == "0.50");
    CHECK(cmd::rate_text(12.34) == "12.3");
    CHECK(cmd::rate_text(123.4) == "123");
    CHECK(cmd::rate_text(12'345) == "12,345");
    CHECK(cmd::bytes_text(123) == "123 B");
    CHECK(cmd::bytes_text(2.5e9) == "2500.0 MB");
}
