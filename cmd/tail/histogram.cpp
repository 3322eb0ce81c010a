#include "cmd/tail/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace cmd {

/// Values below `steps` have a bucket each; from there on each doubling has `steps` of them.
std::size_t Histogram::bucket_of(std::uint64_t value) {
    if (value < steps) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - bits;
    return (shift + 1) * steps + static_cast<std::size_t>((value >> shift) - steps);
}

std::uint64_t Histogram::top_of(std::size_t bucket) {
    if (bucket < steps) return bucket;
    const auto shift = bucket / steps - 1;
    const std::uint64_t start = (steps + bucket % steps) << shift;
    return start + ((std::uint64_t{1} << shift) - 1);
}

void Histogram::add(nanoseconds value) {
    value = std::max(value, nanoseconds(0));
    ++counts_[bucket_of(static_cast<std::uint64_t>(value.count()))];
    ++count_;
    max_ = std::max(max_, value);
}

Histogram::nanoseconds Histogram::percentile(double part) const {
    const auto rank =
        static_cast<std::uint64_t>(std::ceil(std::clamp(part, 0.0, 1.0) * double(count_)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= rank && seen > 0)
            return std::min(max_, nanoseconds(static_cast<std::int64_t>(top_of(i))));
    }
    return nanoseconds(0);
}

} // namespace cmd
