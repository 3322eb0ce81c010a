// When bytes that are read arrived: the kernel's time in that of this process, and how long they
// may have waited before they were read. No sockets.
#pragma once

#include "base/interrupt.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace sse {

/// One thread, the one that waits for the sockets.
class ArrivalClock {
public:
    using Clock = Interrupt::Clock;

    /// `was_stopped`: as LoadOptions::was_stopped.
    explicit ArrivalClock(std::function<bool()> was_stopped);

    /// Everything that arrived before `at` has been read: no socket was ready then.
    void all_read(Clock::time_point at) { bound_ = at; }
    /// A wait has ended; `ready`: because a socket is ready. The first bytes arrived when it ended,
    /// except for the time in which this thread was waiting for a processor or the process was
    /// stopped.
    void woke(bool ready);
    /// Compares the clocks of the system and of this process.
    void adjust(Clock::time_point now);

    /// What is read now arrived after this.
    Clock::time_point bound() const { return bound_; }
    /// A time since 1970.
    Clock::time_point steady(std::chrono::nanoseconds system) const {
        return Clock::time_point(system - offset_);
    }
    /// `arrived`: the kernel's time of arrival, since 1970; 0 if it is not known, and then `now`.
    Clock::time_point arrival(std::chrono::nanoseconds arrived, Clock::time_point now) const;

private:
    const std::function<bool()> was_stopped_;
    Clock::time_point bound_;
    std::optional<std::chrono::nanoseconds> run_delay_; ///< at the last poll
    std::chrono::nanoseconds offset_{0};                ///< system clock minus steady clock
};

} // namespace sse
