#include "base/error.hpp"
#include "hub/batch.hpp"
#include "hub/event_id.hpp"
#include "unit/catch2.hpp"

#include <fmt/format.h>

using namespace std::string_literals;
using std::chrono::milliseconds;

namespace {

using Time = std::chrono::system_clock::time_point;

Time at(std::int64_t ms) { return Time(milliseconds(ms)); }

sse::EventView event(std::string_view data, std::string_view id,
                     std::string_view type = "message") {
    return {type, data, id};
}

} // namespace

TEST_CASE("A batch holds each entry as a chunk, as a block, and knows its id") {
    struct Row {
        const char* what;
        std::string block, id;
    };
    const std::string long_line(300, 'x');
    const Row rows[] = {
        {"an event", "data: one\nid: 1-0\n\n", "1-0"},
        {"a type, two lines", "event: t\ndata: 1\ndata: 2\nid: a\n\n", "a"},
        {"no id", "data: two\n\n", ""},
        {"a comment", ":hello\n\n", ""},
        {"a retry", "retry: 2000\n\n", ""},
        {"a size of three digits", "data: " + long_line + "\n\n", ""},
        {"an id that is not UTF-8 is held as it is sent",
         "data: x\nid: a\xEF\xBF\xBD"
         "b\n\n",
         "a\xEF\xBF\xBD"
         "b"},
    };
    sse::Batch batch;
    batch.add(event("one", "1-0"));
    batch.add(event("1\n2", "a", "t"));
    batch.add({"message", "two", std::nullopt});
    batch.add_comment("hello");
    batch.add_retry(milliseconds(2000));
    batch.add({"message", long_line, std::nullopt});
    batch.add(event("x", "a\xFF"
                         "b"));
    REQUIRE(batch.size() == std::size(rows));
    std::string all;
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        INFO(rows[i].what);
        const auto& block = rows[i].block;
        const auto chunk = fmt::format("{:x}\r\n{}\r\n", block.size(), block);
        CHECK(batch.chunk(i) == chunk);
        CHECK(batch.block(i) == rows[i].block);
        CHECK(batch.id(i) == rows[i].id);
        CHECK(batch.offset(i) == all.size());
        for (std::size_t byte = 0; byte < chunk.size(); ++byte) {
            CHECK(batch.entry_at(all.size() + byte) == i);
        }
        all += chunk;
    }
    CHECK(batch.chunks_from(0) == all);
    CHECK(batch.chunks_from(batch.size()).empty());
    CHECK(batch.entry_at(all.size()) == batch.size());
    CHECK(batch.bytes() >= all.size());
}

TEST_CASE("What cannot be encoded leaves a batch as it was") {
    sse::Batch batch;
    batch.add(event("one", "1"));
    const std::string before(batch.chunks_from(0));
    for (const auto& bad : {"a\nb"s, "a\rb"s, "a\0b"s}) {
        CHECK_THROWS_AS(batch.add(event("x", bad)), sse::Error);
        CHECK_THROWS_AS(batch.add(event("x", "2", bad)), sse::Error);
    }
    CHECK(batch.size() == 1);
    CHECK(batch.chunks_from(0) == before);
    batch.add(event("two", "2"));
    CHECK(batch.id(1) == "2");
}

TEST_CASE("A sealed batch keeps no more memory than it says") {
    for (const std::size_t size : {1U, 1000U, 1'000'000U}) {
        for (const int count : {1, 3, 100}) {
            if (size * static_cast<std::size_t>(count) > 3'000'000) continue;
            sse::Batch batch;
            for (int i = 0; i < count; ++i) batch.add(event(std::string(size, 'x'), "1"));
            batch.seal();
            INFO(count << " of " << size);
            CHECK(batch.capacity() <= batch.bytes() + 64);
        }
    }
}

TEST_CASE("Event ids count within a millisecond and never go back, even when the clock does") {
    sse::EventIds ids;
    struct Row {
        const char* what;
        std::int64_t ms;
        const char* id;
    };
    const Row rows[] = {
        {"the first", 1'700'000'000'000, "1700000000000-0"},
        {"the same millisecond", 1'700'000'000'000, "1700000000000-1"},
        {"a later one", 1'700'000'000'001, "1700000000001-0"},
        {"the clock goes back", 1'699'999'999'000, "1700000000001-1"},
        {"and stays behind", 1'699'999'999'999, "1700000000001-2"},
        {"until it has caught up", 1'700'000'000'001, "1700000000001-3"},
        {"and is ahead again", 1'700'000'000'002, "1700000000002-0"},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        CHECK(ids.next(at(row.ms)) == row.id);
    }
    for (int n = 1; n < 1000; ++n) {
        REQUIRE(ids.next(at(1)) == "1700000000002-" + std::to_string(n));
    }
}

TEST_CASE("A clock before 1970 still gives ids that differ") {
    sse::EventIds ids;
    const std::string first(ids.next(at(-5)));
    const std::string second(ids.next(at(-5)));
    CHECK(first == "0-0");
    CHECK(second == "0-1");
}
