#include "base/histogram.hpp"
#include "unit/catch2.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

using sse::Histogram;
using std::chrono::nanoseconds;

TEST_CASE("Histogram of nothing is zero") {
    const Histogram none;
    CHECK(none.count() == 0);
    CHECK(none.percentile(0.5) == nanoseconds(0));
    CHECK(none.max() == nanoseconds(0));
}

TEST_CASE(
    "Histogram tells percentiles to a thousandth of their value, and never more than the largest") {
    std::mt19937_64 random(7);
    for (const double scale : {3.0, 12.0, 25.0, 40.0, 43.6}) {
        INFO(scale);
        Histogram histogram;
        std::vector<std::int64_t> values;
        for (int i = 0; i < 5000; ++i) {
            const auto power = std::uniform_real_distribution<double>(0, scale)(random);
            values.push_back(static_cast<std::int64_t>(std::exp(power)));
            histogram.add(nanoseconds(values.back()));
        }
        std::sort(values.begin(), values.end());
        CHECK(histogram.count() == values.size());
        CHECK(histogram.max().count() == values.back());
        for (const double part : {0.001, 0.5, 0.9, 0.99, 1.0}) {
            const auto rank = static_cast<std::size_t>(std::ceil(part * 5000)) - 1;
            const auto exact = values[rank];
            const auto told = histogram.percentile(part).count();
            INFO(part << " of " << exact << " is told as " << told);
            CHECK(told >= exact);
            CHECK(told <= exact + exact / 1024);
            CHECK(told <= values.back());
        }
    }
}

TEST_CASE("Histogram takes any duration") {
    Histogram histogram;
    for (const auto value : {nanoseconds::min(), nanoseconds(-1), nanoseconds(0), nanoseconds(31),
                             nanoseconds(32), nanoseconds(63), nanoseconds(64), nanoseconds::max()})
        histogram.add(value);
    CHECK(histogram.count() == 8);
    CHECK(histogram.percentile(3.0 / 8) == nanoseconds(0));
    CHECK(histogram.percentile(4.0 / 8) == nanoseconds(31));
    CHECK(histogram.percentile(6.0 / 8) == nanoseconds(63));
    CHECK(histogram.percentile(1) == nanoseconds::max());
}
