// Limits how long one task may read before it yields the event loop to others.
#pragma once

#include <chrono>
#include <cstdint>

namespace sse {

/// Reads the clock only once in many calls. One thread.
class TimeBudget {
public:
    using Clock = std::chrono::steady_clock;

    explicit TimeBudget(Clock::time_point end)
        : end_(end) {}
    /// Call before each record that is read, with the offset of the record before it. False the
    /// first time, so that every budget makes progress.
    bool over(std::uint64_t offset) {
        constexpr std::uint32_t check_every = 256;
        constexpr std::uint64_t check_every_bytes = 256 * 1024;
        if (records_ == 0) checked_ = offset;
        const bool far = offset < checked_ || offset - checked_ >= check_every_bytes;
        if (records_++ % check_every != check_every - 1 && !far) return false;
        checked_ = offset;
        return Clock::now() >= end_;
    }

private:
    Clock::time_point end_;
    std::uint64_t checked_ = 0; ///< offset at which the clock was read last
    std::uint32_t records_ = 0;
};

} // namespace sse
