#include "server/address_counts.hpp"
#include "unit/catch2.hpp"

#include <thread>
#include <vector>

TEST_CASE("An address has so many places, and gets each back") {
    sse::AddressCounts counts;
    CHECK(counts.enter(7, 2));
    CHECK(counts.enter(7, 2));
    CHECK_FALSE(counts.enter(7, 2));
    CHECK(counts.enter(8, 2)); // another address is not in its way
    counts.leave(7);
    CHECK(counts.enter(7, 2));
    CHECK_FALSE(counts.enter(7, 2));
    for (int i = 0; i < 2; ++i) counts.leave(7);
    for (int i = 0; i < 2; ++i) CHECK(counts.enter(7, 2));
}

TEST_CASE("Places are counted right on several threads") {
    constexpr std::size_t most = 3;
    sse::AddressCounts counts;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 2'000; ++i)
                if (counts.enter(7, most)) counts.leave(7);
        });
    }
    for (auto& thread : threads) thread.join();
    for (std::size_t i = 0; i < most; ++i) CHECK(counts.enter(7, most));
    CHECK_FALSE(counts.enter(7, most));
}
