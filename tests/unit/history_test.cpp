#include "hub/history.hpp"
#include "unit/catch2.hpp"

#include <array>

namespace {

/// Batches of events whose ids are given, or comments where the id is "".
std::shared_ptr<const sse::Batch> batch(std::uint64_t first, const std::vector<std::string>& ids,
                                        std::size_t data_bytes = 1) {
    auto made = std::make_shared<sse::Batch>();
    for (const auto& id : ids) {
        if (id.empty()) made->add_comment("c");
        else made->add({"message", std::string(data_bytes, 'x'), std::string_view(id)});
    }
    made->first = first;
    return made;
}

/// A history of events with the ids 0, 1, 2 ... in batches of those sizes.
sse::History history_of(sse::HistoryOptions options, const std::vector<std::size_t>& sizes,
                        std::size_t data_bytes = 1) {
    sse::History history(options);
    for (const auto size : sizes) {
        std::vector<std::string> ids;
        for (std::size_t i = 0; i < size; ++i) ids.push_back(std::to_string(history.end() + i));
        history.append(batch(history.end(), ids, data_bytes));
    }
    return history;
}

std::string joined(const sse::History& history, sse::Cursor at, bool chunks, std::size_t width) {
    std::string all;
    std::vector<std::string_view> views(width);
    for (;;) {
        const auto count =
            chunks ? history.gather_chunks(at, views) : history.gather_blocks(at, views);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < count; ++i) {
            CHECK_FALSE(views[i].empty());
            all.append(views[i]);
            bytes += views[i].size();
        }
        if (bytes == 0) return all;
        at = chunks ? history.advance_chunks(at, bytes) : history.advance_blocks(at, bytes);
        if (count < width) CHECK(at.next == history.end());
    }
}

} // namespace

TEST_CASE("A history is a ring by events, whatever the batches") {
    struct Row {
        const char* what;
        std::size_t max_events;
        std::vector<std::size_t> sizes;
        std::uint64_t begin, end;
    };
    const Row rows[] = {
        {"nothing yet", 3, {}, 0, 0},
        {"room for all", 3, {1, 1, 1}, 0, 3},
        {"one too many", 3, {1, 1, 1, 1}, 1, 4},
        {"half of a batch goes", 3, {2, 2}, 1, 4},
        {"a whole batch goes", 3, {2, 3}, 2, 5},
        {"a batch larger than the history stays whole", 3, {5}, 0, 5},
        {"and goes whole when the next comes", 3, {5, 3}, 5, 8},
        {"or in part", 3, {5, 1}, 3, 6},
        {"one event", 1, {1, 1, 1, 1, 1}, 4, 5},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const auto history = history_of({row.max_events, 1 << 20}, row.sizes);
        CHECK(history.begin() == row.begin);
        CHECK(history.end() == row.end);
    }
}

TEST_CASE("A history is a ring by bytes, by whole batches") {
    const auto one = batch(0, {"0"}, 100)->bytes();
    struct Row {
        const char* what;
        std::size_t max_bytes;
        std::size_t batches;
        std::uint64_t begin;
    };
    const Row rows[] = {
        {"exactly full", 3 * one, 3, 0},
        {"one byte short", 3 * one - 1, 3, 1},
        {"long full", 3 * one, 9, 6},
        {"smaller than a single event: the newest stays", 10, 5, 4},
    };
    for (const auto& row : rows) {
        INFO(row.what);
        const auto history =
            history_of({1000, row.max_bytes}, std::vector<std::size_t>(row.batches, 1), 100);
        CHECK(history.begin() == row.begin);
        CHECK(history.bytes() <= std::max(row.max_bytes, one));
        CHECK(history.bytes() == one * (history.end() - history.begin()));
    }
}

TEST_CASE("begin_after says what append will push out") {
    for (std::size_t max_events = 1; max_events < 8; ++max_events) {
        for (std::size_t max_bytes : {100U, 300U, 1000U, 100'000U}) {
            sse::History history({max_events, max_bytes});
            for (std::size_t size : {1U, 3U, 2U, 7U, 1U, 1U, 4U}) {
                std::vector<std::string> ids(size, "x");
                const auto next = batch(history.end(), ids, 20);
                const auto begin = history.begin_after(*next);
                history.append(next);
                CHECK(history.begin() == begin);
            }
        }
    }
}

TEST_CASE("Gathering and advancing meet at every byte, for chunks and for blocks") {
    const auto history = history_of({8, 1 << 20}, {3, 1, 4, 2, 2}); // begins within a batch
    REQUIRE(history.begin() == 4);
    REQUIRE(history.end() == 12);
    for (const bool chunks : {true, false}) {
        std::string all;
        for (auto i = history.begin(); i < history.end(); ++i) {
            all += chunks ? history.chunk(i) : history.block(i);
        }
        for (std::size_t width = 1; width < 12; ++width) {
            CHECK(joined(history, {history.begin(), 0}, chunks, width) == all);
        }
        const auto advance = [&](sse::Cursor at, std::size_t bytes) {
            return chunks ? history.advance_chunks(at, bytes) : history.advance_blocks(at, bytes);
        };
        for (std::size_t from = 0; from <= all.size(); ++from) {
            const auto at = advance({history.begin(), 0}, from);
            REQUIRE(joined(history, at, chunks, 4) == all.substr(from));
            for (std::size_t more = 0; more <= all.size() - from; ++more) {
                const auto twice = advance(at, more),
                           once = advance({history.begin(), 0}, from + more);
                REQUIRE(twice.next == once.next);
                REQUIRE(twice.sent == once.sent);
            }
        }
    }
    std::array<std::string_view, 2> views;
    CHECK(history.gather_chunks({history.end(), 0}, views) == 0);
    CHECK(history.gather_blocks({history.end(), 0}, views) == 0);
    CHECK(history.gather_chunks({history.begin(), 0}, {}) == 0);
    CHECK(history.gather_blocks({history.begin(), 0}, {}) == 0);
}

TEST_CASE("An id is found at its newest event, as long as that is held") {
    sse::History history({4, 1 << 20});
    CHECK(history.find("a") == std::nullopt);
    history.append(batch(0, {"a", "b", "a"}));
    CHECK(history.find("a") == 2U);
    CHECK(history.find("b") == 1U);
    CHECK(history.find("") == std::nullopt);
    CHECK(history.find("c") == std::nullopt);
    CHECK(history.find("aa") == std::nullopt);
    history.append(batch(3, {"", "c", "b"}));
    CHECK(history.find("a") == 2U);
    CHECK(history.find("b") == 5U);
    CHECK(history.find("c") == 4U);
    history.append(batch(6, {"d"}));
    CHECK(history.find("a") == std::nullopt); // pushed out
    CHECK(history.find("b") == 5U);
    history.append(batch(7, {"e", "f", "g", "h"}));
    CHECK(history.find("b") == std::nullopt);
    CHECK(history.find("h") == 10U);
    history.append(batch(11, {"a"})); // it may come again
    CHECK(history.find("a") == 11U);
}

TEST_CASE("The index of ids keeps up with a long life, found or not") {
    for (const std::size_t every : {1U, 7U, 3000U}) {
        sse::History history({5, 1 << 20});
        for (std::uint64_t i = 0; i < 10'000; ++i) {
            history.append(batch(i, {std::to_string(i)}));
            if (i % every != 0) continue;
            REQUIRE(history.find(std::to_string(i)) == i);
            REQUIRE(history.find(std::to_string(history.begin())) == history.begin());
            if (i >= 5) REQUIRE(history.find(std::to_string(i - 5)) == std::nullopt);
        }
    }
}

TEST_CASE("last counts events, and not comments") {
    sse::History history({100, 1 << 20});
    CHECK(history.last(3) == 0);
    history.append(batch(0, {"a", "", "b"}));
    history.append(batch(3, {"", "c", ""}));
    struct Row {
        std::size_t count;
        std::uint64_t sequence;
    };
    for (const auto& row : {Row{0, 6}, {1, 4}, {2, 2}, {3, 0}, {4, 0}, {1000, 0}}) {
        INFO(row.count);
        CHECK(history.last(row.count) == row.sequence);
    }
}
