#include "base/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

namespace sse {

/// Values below twice `steps` have a bucket each; from there on each doubling has `steps` of them.
std::size_t Histogram::bucket_of(std::uint64_t value) {
    if (value < 2 * steps) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - 1 - bits;
    return shift * steps + static_cast<std::size_t>(value >> shift);
}

std::uint64_t Histogram::top_of(std::size_t bucket) {
    if (bucket < 2 * steps) return bucket;
    const auto shift = bucket / steps - 1;
    const std::uint64_t start = (steps + bucket % steps) << shift;
    return start + ((std::uint64_t{1} << shift) - 1);
}

Histogram::Histogram(std::vector<std::uint64_t> counts, double sum, nanoseconds max)
    : counts_(std::move(counts))
    , count_(std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0}))
    , sum_(sum)
    , max_(max) {}

void Histogram::add(nanoseconds value) {
    value = std::max(value, nanoseconds(0));
    const auto bucket = bucket_of(static_cast<std::uint64_t>(value.count()));
    if (bucket >= counts_.size()) counts_.resize(bucket + 1);
    ++counts_[bucket];
    ++count_;
    sum_ += static_cast<double>(value.count());
    max_ = std::max(max_, value);
}

void Histogram::add(const Histogram& other) {
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
}

void Histogram::clear() {
    counts_.clear();
    count_ = 0;
    sum_ = 0;
    max_ = nanoseconds(0);
}

Histogram::nanoseconds Histogram::mean() const {
    if (count_ == 0) return nanoseconds(0);
    return nanoseconds(static_cast<std::int64_t>(sum_ / static_cast<double>(count_)));
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

} // namespace sse
