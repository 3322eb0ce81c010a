#include "load/load_fairness.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace sse {

namespace {

double mean(std::vector<double>::const_iterator begin, std::vector<double>::const_iterator end) {
    return begin == end ? 0 : std::accumulate(begin, end, 0.0) / static_cast<double>(end - begin);
}

/// Pearson's coefficient for the values and their positions; 0 if the values are all equal.
double order_correlation(const std::vector<double>& values) {
    const auto middle = (static_cast<double>(values.size()) - 1) / 2;
    const auto average = mean(values.begin(), values.end());
    double both = 0, positions = 0, spread = 0, position = -middle;
    for (const double value : values) {
        both += position * (value - average);
        positions += position * position;
        spread += (value - average) * (value - average);
        position += 1;
    }
    return spread > 0 && positions > 0 ? both / std::sqrt(positions * spread) : 0;
}

} // namespace

LoadFairness load_fairness(std::vector<double> delays) {
    LoadFairness result;
    if (delays.empty()) return result;
    const auto sum = std::accumulate(delays.begin(), delays.end(), 0.0);
    const auto squares = std::inner_product(delays.begin(), delays.end(), delays.begin(), 0.0);
    if (squares > 0) result.jain = sum * sum / (static_cast<double>(delays.size()) * squares);
    result.order_correlation = order_correlation(delays);
    std::sort(delays.begin(), delays.end(), std::greater<>());
    const auto slowest = delays.begin() + static_cast<std::ptrdiff_t>((delays.size() + 99) / 100);
    result.slowest_percent = mean(delays.begin(), slowest);
    result.others = mean(slowest, delays.end());
    return result;
}

} // namespace sse
