// A wait for a slow reader that is limited only after a stop was requested.
#pragma once

#include "base/wake_pipe.hpp"

#include <atomic>
#include <chrono>

namespace cmd {

class ShutdownGrace {
public:
    /// After stop(), wait() waits at most `grace`.
    explicit ShutdownGrace(std::chrono::milliseconds grace)
        : grace_(grace) {}

    /// True once `fd` can be written to or has failed; false if the grace time has passed. One
    /// thread.
    bool wait(int fd);
    /// Starts the grace time. Any thread.
    void stop();
    /// True if a wait() returned false. Any thread.
    bool is_over() const { return over_; }

private:
    using Clock = std::chrono::steady_clock;

    const std::chrono::milliseconds grace_;
    std::atomic<Clock::rep> until_{0}; ///< end of the grace time; valid once stopped_ is readable
    sse::WakePipe stopped_;
    std::atomic<bool> over_{false};
};

} // namespace cmd
