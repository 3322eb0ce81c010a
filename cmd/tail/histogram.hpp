// Counts durations in constant memory, for percentiles.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cmd {

/// The buckets are at most 1/32 of their value wide, and exact up to 31 ns. The maximum is exact.
/// One thread at a time.
class Histogram {
public:
    using nanoseconds = std::chrono::nanoseconds;

    /// A negative value counts as zero.
    void add(nanoseconds value);
    std::uint64_t count() const { return count_; }
    nanoseconds max() const { return max_; }
    /// The smallest value that is not exceeded by `part` (0 to 1) of all values, to the width of
    /// its bucket and at most max(); zero if there are no values.
    nanoseconds percentile(double part) const;

private:
    static constexpr unsigned bits = 5; ///< of a value after its leading one
    static constexpr std::size_t steps = std::size_t{1} << bits;
    static std::size_t bucket_of(std::uint64_t value);
    static std::uint64_t top_of(std::size_t bucket);

    std::array<std::uint64_t, (64 - bits + 1) * steps> counts_{};
    std::uint64_t count_ = 0;
    nanoseconds max_{0};
};

} // namespace cmd
