// A share of a loop's time for reading: so that what takes long does not keep others waiting.
#pragma once

#include <chrono>
#include <cstdint>

namespace sse {

/// Looks at the clock now and then only. One thread.
class TimeBudget {
public:
    using Clock = std::chrono::steady_clock;

    explicit TimeBudget(Clock::time_point end)
        : end_(end) {}
    /// To be asked before each record that is read; `offset`: of the one before. False the first
    /// time, so that every slice goes on.
    bool over(std::uint64_t offset) {
        constexpr std::uint32_t look_every = 256;
        constexpr std::uint64_t or_every_bytes = 256 * 1024;
        if (records_ == 0) looked_ = offset;
        const bool far = offset < looked_ || offset - looked_ >= or_every_bytes;
        if (records_++ % look_every != look_every - 1 && !far) return false;
        looked_ = offset;
        return Clock::now() >= end_;
    }

private:
    Clock::time_point end_;
    std::uint64_t looked_ = 0; ///< at the clock, when it was there in the text
    std::uint32_t records_ = 0;
};

} // namespace sse
