// How clients wait: for a descriptor, until a time, or until they are stopped. Not an event loop: a
// wait has one purpose, and only the reason of the stop is kept.
#pragma once

#include "base/wake_pipe.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <poll.h>
#include <span>

namespace sse {

/// Ends every wait of the clients that share it: by raise(), when the reader of a watched
/// descriptor closes it, or at a set time. Once raised it stays raised. wait() may be called on any
/// thread.
class Interrupt {
public:
    using Clock = std::chrono::steady_clock;
    enum class Reason : int {
        none,
        raised,      ///< by a signal: what was received need not be delivered
        reader_gone, ///< the reader of the output has closed it: delivery is impossible
        // With the others, what was received already is still delivered.
        expired,   ///< the time limit was reached
        idle,      ///< nothing was received for the idle time
        satisfied, ///< the wanted events were received
        failed,    ///< one of several clients failed in a way that stops all
    };

    /// Throws std::system_error if no pipe can be made.
    Interrupt() = default;
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// On any thread, and in signal handlers. The first reason stays.
    void raise(Reason reason = Reason::raised) noexcept;
    Reason reason() const noexcept { return reason_.load(std::memory_order_acquire); }
    explicit operator bool() const noexcept { return reason() != Reason::none; }

    /// Every wait also ends when the reader of `fd`, which we write to, closes it. Call before any
    /// wait.
    void watch_reader(int fd) { reader_ = fd; }
    /// Every wait ends at `time`. Call before any wait.
    void expire_at(Clock::time_point time) { end_ = time; }
    /// Every wait ends when nothing was received for `time`. Call before any wait.
    void expire_when_idle(Clock::duration time) { idle_ = time, received(); }
    /// Notes that something was received. Also checks the time limit, for a client that never
    /// waits.
    void received() noexcept;

    enum class Woken { ready, timed_out, interrupted };
    /// Waits until one of `fds` is ready (see their `revents`), until `limit`, or until the
    /// interrupt is raised. Does not return for EINTR.
    Woken wait(std::span<pollfd> fds, std::optional<Clock::time_point> limit = std::nullopt);
    /// The same for the `events` of one descriptor.
    Woken wait(int fd, short events, std::optional<Clock::time_point> limit = std::nullopt);
    /// Waits until the receiver of our output is ready for `events` on `fd`, such as POLLOUT.
    /// Reasons that still deliver do not end this wait, and it does not count as idle time. False
    /// if raised or the reader is gone.
    bool wait_for_output(int fd, short events);
    /// Waits until `time`; false if interrupted before.
    bool sleep_until(Clock::time_point time) {
        return wait(std::span<pollfd>{}, time) == Woken::timed_out;
    }

private:
    WakePipe wake_; ///< set once raised, for any reason
    WakePipe cut_;  ///< set once delivering is over, too
    int reader_ = -1;
    std::optional<Clock::time_point> end_;
    std::optional<Clock::duration> idle_;
    std::atomic<Clock::rep> received_{0}; ///< when something was received last
    std::atomic<Reason> reason_{Reason::none};
    std::atomic<bool> is_cut_{false};
};

} // namespace sse
