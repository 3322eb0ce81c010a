// The one place where a client waits: for a descriptor, a time, or to be told to stop. Not an event
// loop: it waits for one thing at a time, and remembers only why it was told to stop.
#pragma once

#include "base/wake_pipe.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <poll.h>
#include <span>

namespace sse {

/// Ends every wait of the clients that share it: by raise(), when the reader of a watched
/// descriptor leaves, or at a set time. Once raised it stays so. wait() may be called from any
/// thread.
class Interrupt {
public:
    using Clock = std::chrono::steady_clock;
    enum class Reason : int {
        none,
        raised,      ///< by a person: what has been heard need not be delivered either
        reader_gone, ///< of what is written: there is nobody to deliver to
        expired,     ///< as this and the others say, nothing more is wanted than was heard already
        idle,
        satisfied,
        failed, ///< one of several clients, in a way that ends all
    };

    /// Throws std::system_error if no pipe can be made.
    Interrupt() = default;
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    /// From any thread, and from signal handlers. The first reason stays.
    void raise(Reason reason = Reason::raised) noexcept;
    Reason reason() const noexcept { return reason_.load(std::memory_order_acquire); }
    explicit operator bool() const noexcept { return reason() != Reason::none; }

    /// Every wait also looks whether whoever reads what is written to `fd` has gone. Before any
    /// wait.
    void watch_reader(int fd) { reader_ = fd; }
    /// Every wait ends at that time. Before any wait.
    void expire_at(Clock::time_point time) { end_ = time; }
    /// Every wait ends when nothing was heard for so long. Before any wait.
    void expire_when_idle(Clock::duration time) { idle_ = time, received(); }
    /// Something was heard. Also looks at the time, for those who never wait.
    void received() noexcept;

    enum class Woken { ready, late, interrupted };
    /// Waits until one of `fds` is ready (their `revents` then say so), until `limit`, or until the
    /// interrupt. EINTR is no reason to return.
    Woken wait(std::span<pollfd> fds, std::optional<Clock::time_point> limit = std::nullopt);
    /// The same for the `events` of one descriptor.
    Woken wait(int fd, short events, std::optional<Clock::time_point> limit = std::nullopt);
    /// Waits for whoever takes what has been heard, such as room to write (POLLOUT): not over when
    /// nothing more is wanted, and no silence of the sender. False: raised, or whoever reads has
    /// gone.
    bool wait_served(int fd, short events);
    /// Waits for `time` only; false if interrupted before.
    bool sleep_until(Clock::time_point time) {
        return wait(std::span<pollfd>{}, time) == Woken::late;
    }

private:
    WakePipe wake_; ///< set once raised, for any reason
    WakePipe cut_;  ///< set once delivering is over, too
    int reader_ = -1;
    std::optional<Clock::time_point> end_;
    std::optional<Clock::duration> idle_;
    std::atomic<Clock::rep> received_{0}; ///< when something was heard last
    std::atomic<Reason> reason_{Reason::none};
    std::atomic<bool> is_cut_{false};
};

} // namespace sse
