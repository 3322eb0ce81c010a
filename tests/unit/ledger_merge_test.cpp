#include "load/ledger_merge.hpp"

#include "base/error.hpp"
#include "load/load_message.hpp"
#include "load/load_shares.hpp"
#include "unit/catch2.hpp"

#include <memory>
#include <random>
#include <string>
#include <vector>

using sse::Course;
using sse::EventLedger;
using sse::LedgerCounts;
using sse::LedgerRecord;

namespace {

/// Streams of subscribers that are divided among `processes`. A letter or digit is an event, which
/// arrives at the time of its position; digits are numbered, small letters have no IDs. `|`: away.
std::vector<LedgerRecord> records_of(const std::vector<std::string>& streams,
                                     std::size_t processes) {
    std::vector<LedgerRecord> records;
    for (std::size_t process = 0; process < processes; ++process) {
        sse::LedgerOptions options;
        options.subscribers = streams.size();
        options.keep_record = true;
        EventLedger ledger(options, [](const sse::LedgerEvent&) {});
        std::vector<Course> courses(streams.size());
        for (std::size_t at = 0, left = 1; left > 0; ++at) {
            left = 0;
            for (std::size_t i = process; i < streams.size(); i += processes) {
                if (at >= streams[i].size()) continue;
                ++left;
                const char c = streams[i][at];
                if (c == '|') ledger.end_course(courses[i]);
                if (c == '|' || c == ' ') continue;
                const bool number = c >= '0' && c <= '9';
                const auto received =
                    ledger.receive(static_cast<std::uint32_t>(i), courses[i], std::uint64_t(c),
                                   number ? sse::EventPlace(c - '0' + 1) : 0, c < 'a');
                auto& event = ledger.event(received.slot);
                const auto time = static_cast<std::int64_t>(at + 1);
                if (event.timed++ == 0) event.first_ns = time;
                event.last_ns = time;
                if (received.is_new) event.is_measured = c != '0';
            }
        }
        for (std::size_t i = process; i < streams.size(); i += processes)
            ledger.end_course(courses[i]);
        ledger.finish();
        records.push_back(ledger.record());
    }
    return records;
}

LedgerCounts merged(const std::vector<std::string>& streams, std::size_t processes) {
    return sse::merge_ledgers(records_of(streams, processes), 0).counts;
}

struct Row {
    const char* what;
    std::vector<std::string> streams; ///< in two processes in turn
    std::uint64_t events, lost, duplicates, disordered, missed, repeated, alone;
};

const Row rows[] = {
    {"nothing is wrong", {"1234", "1234"}, 4, 0, 0, 0, 0, 0, 0},
    {"nothing is wrong, and IDs have no numbers", {"ABCD", "ABCD"}, 4, 0, 0, 0, 0, 0, 0},
    {"a whole process lost one", {"1234", "12 4", "1234", "12 4"}, 4, 2, 0, 0, 0, 0, 0},
    {"the same without numbers", {"ABCD", "AB D", "ABCD", "AB D"}, 4, 2, 0, 0, 0, 0, 0},
    {"the first process lost it", {"AB D", "ABCD"}, 4, 1, 0, 0, 0, 0, 0},
    {"each lost another one", {"AB DE", "A CDE"}, 5, 2, 0, 0, 0, 0, 0},
    {"what came before the first is not owed", {"  CD", "ABCD"}, 4, 0, 0, 0, 0, 0, 0},
    {"what came behind the last is not owed", {"ABCD", "AB"}, 4, 0, 0, 0, 0, 0, 0},
    {"they have no event in common", {"AB", "  CD"}, 4, 0, 0, 0, 0, 0, 0},
    {"their first events are ordered by arrival", {"A CD", " BCD", "A CD"}, 4, 2, 0, 0, 0, 0, 0},
    {"one has nothing", {"ABC", "", "ABC"}, 3, 0, 0, 0, 0, 0, 0},
    {"doubled in one process", {"123", "1223"}, 3, 0, 1, 0, 0, 0, 0},
    {"swapped in one process", {"1234", "1324"}, 4, 0, 0, 1, 0, 0, 0},
    {"missed while away, seen in the other process", {"12345", "12||5"}, 5, 0, 0, 0, 2, 0, 0},
    {"the same without numbers", {"ABCDE", "AB||E"}, 5, 0, 0, 0, 2, 0, 0},
    {"received again without resuming", {"1234", "12|234"}, 4, 0, 0, 0, 0, 1, 0},
    {"greetings", {"axyz", "bxyz", "cxyz"}, 6, 0, 0, 0, 0, 0, 3},
    {"of one subscriber between", {"xyuz", "xy z"}, 4, 0, 0, 0, 0, 0, 1},
};

} // namespace

TEST_CASE("the counts of several processes are those of one") {
    for (const auto& row : rows) {
        INFO(row.what);
        const auto c = merged(row.streams, 2);
        CHECK(c.events == row.events);
        CHECK(c.lost == row.lost);
        CHECK(c.duplicates == row.duplicates);
        CHECK(c.disordered == row.disordered);
        CHECK(c.missed == row.missed);
        CHECK(c.repeated == row.repeated);
        CHECK(c.alone == row.alone);
    }
}

TEST_CASE("numbered events are counted alike in any number of processes") {
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> streams(6);
        for (auto& stream : streams) {
            const auto begin = random() % 4, end = 6 + random() % 5;
            for (auto n = 0u; n < 10; ++n) {
                const bool has = n >= begin && n < end && random() % 5 != 0;
                stream += has ? char('0' + n) : random() % 8 == 0 ? '|' : ' ';
                if (has && random() % 10 == 0) stream += stream.back();
            }
        }
        const auto one = merged(streams, 1), two = merged(streams, 2), six = merged(streams, 6);
        for (const auto* several : {&two, &six}) {
            CHECK(several->events == one.events);
            CHECK(several->lost == one.lost);
            CHECK(several->missed == one.missed);
            CHECK(several->duplicates == one.duplicates);
            CHECK(several->repeated == one.repeated);
            CHECK(several->disordered == one.disordered);
        }
    }
}

TEST_CASE("skew is between processes, and an event is measured where it came first") {
    auto found = sse::merge_ledgers(records_of({"012", "   012"}, 2), 2);
    CHECK(found.measured == 2); // not 0
    auto records = records_of({"12", "12"}, 2);
    records[1].events[0].is_measured = false; // it arrived there before the measured time
    CHECK(sse::merge_ledgers(records, 0).measured == 1);
    CHECK(found.skew.count() == 2);
    CHECK(found.skew.max() == std::chrono::nanoseconds(3));
}

TEST_CASE("the share of a process is the same after its way through a pipe") {
    sse::LoadShare share;
    share.result.subscribers = 7;
    share.result.failures = {{"timed out", 3}, {"", 1}};
    share.result.storm_at = 2.5;
    share.result.client.cpu = 0.5;
    for (const int ms : {0, 1, 5, 70'000}) share.result.connect.add(std::chrono::milliseconds(ms));
    share.ledgers = records_of({"ABC", "AC|E"}, 2);
    share.ledgers[0].has_ids = true;
    share.delays = {0.25, -1};
    share.from_ns = 99;
    const auto bytes = sse::encode(share);

    sse::LoadMessages messages;
    for (const char c : bytes.substr(0, bytes.size() - 1)) {
        messages.feed({&c, 1});
        REQUIRE_FALSE(messages.next());
    }
    messages.feed(bytes.substr(bytes.size() - 1) + sse::encode(sse::LoadIntervalMessage{}));
    const auto message = messages.next();
    REQUIRE(message);
    CHECK(message->kind == sse::LoadMessageKind::share);
    CHECK(sse::encode(sse::decode_share(message->body)) == bytes);
    const auto cut = std::string(message->body.substr(0, message->body.size() - 1));
    CHECK_THROWS_AS(sse::decode_share(cut), sse::Error);
    CHECK_THROWS_AS(sse::decode_share(cut + "xy"), sse::Error);
    for (std::size_t size = 0; size < cut.size(); ++size)
        CHECK_THROWS_AS(sse::decode_share(cut.substr(0, size)), sse::Error);
    REQUIRE(messages.next());
    CHECK_FALSE(messages.next());

    const auto read = sse::decode_share(bytes.substr(9));
    CHECK(read.result.failures == share.result.failures);
    CHECK(read.result.storm_at == share.result.storm_at);
    CHECK(read.result.connect.percentile(1) == share.result.connect.percentile(1));
    CHECK(read.ledgers[1].parts.size() == share.ledgers[1].parts.size());
}

TEST_CASE("a message above the limit is refused before it is stored") {
    std::string head(9, '\0');
    head[8] = 1; // 2^56 bytes
    sse::LoadMessages messages;
    messages.feed(head);
    CHECK_THROWS_AS(messages.next(), sse::Error);
}

TEST_CASE("the figures of shares are added") {
    std::vector<sse::LoadShare> shares(2);
    for (std::size_t i = 0; i < 2; ++i) {
        auto& result = shares[i].result;
        result.subscribers = 3 + i;
        result.deliveries = 10;
        result.seconds = 1.0 + double(i);
        result.client = {0.25, 0.25 * double(i + 1), 2e-6, 1000};
        result.failures["timed out"] = i;
        shares[i].delays = {1.0, i == 0 ? -1.0 : 3.0};
    }
    const auto all = sse::merge_shares(std::move(shares));
    CHECK(all.subscribers == 7);
    CHECK(all.seconds == 2);
    CHECK(all.client.cpu == 0.5);
    CHECK(all.client.busiest == 0.5);
    CHECK(all.client.cpu_per_delivery == 2e-6);
    CHECK(all.client.resident_bytes == 2000);
    CHECK(all.failures.at("timed out") == 1);
    CHECK(all.fairness.slowest_percent == 3);
    CHECK(all.fairness.others == 1);
}
