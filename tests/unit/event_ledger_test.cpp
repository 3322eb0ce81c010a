#include "load/event_ledger.hpp"
#include "load/id_order.hpp"
#include "unit/catch2.hpp"

#include <random>
#include <string>
#include <vector>

using sse::Course;
using sse::EventLedger;
using sse::LedgerCounts;

namespace {

/// Courses of subscribers, a letter an event: each receives one letter in turn. Capitals are IDs
/// that have no numbers; digits are numbers. `|`: it is away, and does not resume.
LedgerCounts play(const std::vector<std::string>& streams, std::size_t window = 1024) {
    sse::LedgerOptions options;
    options.subscribers = streams.size();
    options.least_window = options.most_window = window;
    EventLedger ledger(options, [](const sse::LedgerEvent&) {});
    std::vector<Course> courses(streams.size());
    for (std::size_t at = 0, left = streams.size(); left > 0; ++at) {
        left = 0;
        for (std::uint32_t i = 0; i < streams.size(); ++i) {
            if (at >= streams[i].size()) continue;
            ++left;
            const char c = streams[i][at];
            if (c == '|') {
                ledger.end_course(courses[i]);
            } else if (c != ' ') {
                const bool number = c >= '0' && c <= '9';
                ledger.receive(i, courses[i], std::uint64_t(c),
                               number ? sse::EventPlace(c - '0' + 1) : 0, c < 'a');
            }
        }
    }
    for (auto& course : courses) ledger.end_course(course);
    return ledger.finish();
}

struct Row {
    const char* what;
    std::vector<std::string> streams;
    std::uint64_t lost, duplicates, disordered, missed, repeated;
};

const Row rows[] = {
    {"nothing is wrong", {"ABCD", "ABCD"}, 0, 0, 0, 0, 0},
    {"nobody tells what nobody received", {"ABD", "ABD"}, 0, 0, 0, 0, 0},
    {"one of two lost one", {"ABCD", " AB D"}, 1, 0, 0, 0, 0},
    {"the one that lost it was ahead", {"ACD", "  ABCD"}, 1, 0, 0, 0, 0},
    {"it was ahead of one that had it", {"ABC  DE", "AB DE", "  ABCDE"}, 1, 0, 0, 0, 0},
    {"the same, read on later", {"ABC  DE   F", "AB DE   F", "  ABCDE F"}, 1, 0, 0, 0, 0},
    {"the same, of two", {"ABC  DE", "AB DE"}, 1, 0, 0, 0, 0},
    {"a greeting between", {"vxy zw", "   uxyzw", " xyzw"}, 0, 0, 0, 0, 0},
    {"greetings, and no event has an ID", {"axyz", "bxyz", "  cyz"}, 0, 0, 0, 0, 0},
    {"a run of losses, of both", {"ABCDEFGH", "AB  EFGH", "ABCDE  H"}, 4, 0, 0, 0, 0},
    {"what came before the first is not owed", {"ABCDE", "   DE"}, 0, 0, 0, 0, 0},
    {"what came behind the last is not owed", {"ABCDE", "AB"}, 0, 0, 0, 0, 0},
    {"one event is nothing to lose between", {"ABC", "B", ""}, 0, 0, 0, 0, 0},
    {"duplicates, near and far", {"AABCDA", "ABCD"}, 0, 2, 0, 0, 0},
    {"two are swapped behind others", {"ABCD", "ABCD", "ACBD"}, 0, 0, 1, 0, 0},
    {"two are swapped before others", {"ACBD", " ABCD", " ABCD"}, 0, 0, 1, 0, 0},
    {"numbers: one comes last", {"1345672", " 1234567", " 1234567"}, 0, 0, 1, 0, 0},
    {"numbers: a loss ahead of all", {"137", " 1234567"}, 4, 0, 0, 0, 0},
    {"away without resuming", {"ABCDEF", "AB|EF "}, 0, 0, 0, 2, 0},
    {"away, and all comes again", {"ABCDEF", "ABC|AB", "ABCDEF"}, 0, 0, 0, 0, 2},
    {"away and resumed: all is owed", {"ABCDEF", "AB  EF"}, 2, 0, 0, 0, 0},
    {"numbers: away, and a loss behind that", {"123456", "1|4 6 "}, 1, 0, 0, 2, 0},
    {"greetings, and no event has an ID", {"axyz", "bxyz", "  cyz"}, 0, 0, 0, 0, 0},
};

} // namespace

TEST_CASE("what subscribers lost is told by what the others received") {
    for (const auto& row : rows) {
        INFO(row.what);
        const auto counts = play(row.streams);
        CHECK(counts.lost == row.lost);
        CHECK(counts.duplicates == row.duplicates);
        CHECK(counts.disordered == row.disordered);
        CHECK(counts.missed == row.missed);
        CHECK(counts.repeated == row.repeated);
    }
}

TEST_CASE("events that are forgotten stay counted") {
    for (const std::size_t window : {2U, 3U, 100U}) {
        const auto counts = play({"ABCDEFGHIJ", "ABCDE GHIJ", "ABCDEFGHIJ"}, window);
        CHECK(counts.events == 10);
        CHECK(counts.lost == 1);
        CHECK(counts.duplicates == 0);
    }
}

TEST_CASE("an event remembers who received it, and how many had it late") {
    sse::LedgerOptions options;
    options.subscribers = 200;
    std::vector<sse::LedgerEvent> done;
    EventLedger ledger(options, [&](const sse::LedgerEvent& event) { done.push_back(event); });
    std::vector<Course> courses(200);
    for (std::uint32_t i = 0; i < 200; ++i) {
        CHECK(ledger.receive(i, courses[i], 7).is_new == (i == 0));
        CHECK(ledger.receive(i, courses[i], 7).receipt == EventLedger::Receipt::duplicate);
    }
    ledger.finish();
    REQUIRE(done.size() == 1);
    CHECK(done[0].receivers == 200);
    CHECK(done[0].late == 0);
}

TEST_CASE("IDs that count have an order") {
    sse::IdOrder numbers, pairs, named, texts;
    CHECK(*numbers.place_of("9") < *numbers.place_of("10"));
    CHECK(*numbers.place_of("0") > 0);
    CHECK(!numbers.place_of("10-1"));
    CHECK(!numbers.place_of("x"));
    CHECK(!numbers.place_of("18446744073709551615"));
    CHECK(*pairs.place_of("1795000000000-9") < *pairs.place_of("1795000000000-10"));
    CHECK(*pairs.place_of("1795000000000-99999") < *pairs.place_of("1795000000001-0"));
    CHECK(!pairs.place_of("7"));
    CHECK(*named.place_of("evt_1") < *named.place_of("evt_20"));
    CHECK(!named.place_of("other_3"));
    for (const char* id : {"b1b7-4", "a", "12", "0x3"}) CHECK(texts.place_of(id) == 0);
}

TEST_CASE("a loss without IDs is told whichever subscriber is ahead") {
    // Greetings of each, an event for each alone (7), and one (3) that subscriber 1 does not get.
    const std::vector<std::vector<std::uint64_t>> streams = {{100, 1, 2, 3, 4, 5, 6, 70, 8, 9},
                                                             {101, 1, 2, 4, 5, 6, 71, 8, 9},
                                                             {102, 1, 2, 3, 4, 5, 6, 72, 8, 9}};
    std::minstd_rand random(1);
    for (int schedule = 0; schedule < 3000; ++schedule) {
        sse::LedgerOptions options;
        options.subscribers = streams.size();
        EventLedger ledger(options, [](const sse::LedgerEvent&) {});
        std::vector<Course> courses(streams.size());
        std::vector<std::size_t> at(streams.size());
        std::string order;
        for (std::size_t left = 29; left > 0;) {
            const auto i = random() % streams.size();
            const auto count = random() % 6 + 1;
            for (std::size_t n = 0; n < count && at[i] < streams[i].size(); ++n, --left) {
                order += char('0' + i);
                ledger.receive(std::uint32_t(i), courses[i], streams[i][at[i]++], 0, false);
            }
        }
        for (auto& course : courses) ledger.end_course(course);
        const auto counts = ledger.finish();
        INFO(order);
        REQUIRE(counts.lost == 1);
        REQUIRE(counts.duplicates == 0);
    }
}
