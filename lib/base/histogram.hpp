// Counts durations in bounded memory, for percentiles.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sse {

/// The buckets are those of an HdrHistogram of nanoseconds with three significant digits: exact up
/// to 2,047 ns, then at most 1/1024 of their value wide. They need 8 KiB for each doubling up to
/// the largest value. The maximum is exact. One thread at a time.
class Histogram {
public:
    using nanoseconds = std::chrono::nanoseconds;

    Histogram() = default;
    /// With the values in `counts` (counts()), whose sum and maximum are in nanoseconds.
    Histogram(std::vector<std::uint64_t> counts, double sum, nanoseconds max);
    /// A negative value counts as zero.
    void add(nanoseconds value);
    void add(const Histogram& other);
    /// As new, with its memory.
    void clear();
    std::uint64_t count() const { return count_; }
    nanoseconds max() const { return max_; }
    double sum() const { return sum_; } ///< of all values, in nanoseconds
    /// Zero if there are no values.
    nanoseconds mean() const;
    /// The smallest value that is not exceeded by `part` (0 to 1) of all values, to the width of
    /// its bucket and at most max(); zero if there are no values.
    nanoseconds percentile(double part) const;

    /// How many values each bucket has, up to the last one that has any.
    const std::vector<std::uint64_t>& counts() const { return counts_; }
    /// The largest value of a bucket, in nanoseconds.
    static std::uint64_t top_of(std::size_t bucket);

private:
    static constexpr unsigned bits = 10; ///< of a value after its leading one
    static constexpr std::size_t steps = std::size_t{1} << bits;
    static std::size_t bucket_of(std::uint64_t value);

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    double sum_ = 0; ///< ns
    nanoseconds max_{0};
};

} // namespace sse
