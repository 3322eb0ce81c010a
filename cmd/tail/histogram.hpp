// How often which durations came, in constant memory: what percentiles are read from.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cmd {

/// Counts durations in buckets that are at most 1/32 of their value wide; up to 31 ns exact. The
/// largest is kept as it was. One thread at a time.
class Histogram {
public:
    using nanoseconds = std::chrono::nanoseconds;

    /// Below zero counts as zero.
    void add(nanoseconds value);
    std::uint64_t count() const { return count_; }
    nanoseconds max() const { return max_; }
    /// The least value that `part` (0 to 1) of all do not exceed, to the width of its bucket and
    /// never above max(); zero if there is none.
    nanoseconds percentile(double part) const;

private:
    static constexpr unsigned bits = 5; ///< of a value, behind its first one
    static constexpr std::size_t steps = std::size_t{1} << bits;
    static std::size_t bucket_of(std::uint64_t value);
    static std::uint64_t top_of(std::size_t bucket);

    std::array<std::uint64_t, (64 - bits + 1) * steps> counts_{};
    std::uint64_t count_ = 0;
    nanoseconds max_{0};
};

} // namespace cmd
