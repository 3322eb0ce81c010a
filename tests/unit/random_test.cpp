#include "base/random.hpp"

#include "unit/catch2.hpp"

TEST_CASE("random numbers of one seed are the same everywhere (splitmix64)") {
    sse::SeededRandom random(0);
    CHECK(random.next() == 0xE220A8397B1DCDAFu);
    CHECK(random.next() == 0x6E789E6AA1B965F4u);
    CHECK(sse::SeededRandom(1).below(0) == 0);
    CHECK(sse::SeededRandom(1).chance(1));
    CHECK_FALSE(sse::SeededRandom(1).chance(0));
}
