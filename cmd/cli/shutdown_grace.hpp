// Waiting for who reads a pipe: for ever, until a stop is asked for, and then not much longer.
#pragma once

#include "base/wake_pipe.hpp"

#include <atomic>
#include <chrono>

namespace cmd {

class ShutdownGrace {
public:
    /// After stop() it waits for `grace` and no more.
    explicit ShutdownGrace(std::chrono::milliseconds grace)
        : grace_(grace) {}

    /// True once `fd` can be written to, or has failed; false if the time is over. One thread.
    bool wait(int fd);
    /// Any thread.
    void stop();
    /// wait() has given up. Any thread.
    bool is_over() const { return over_; }

private:
    using Clock = std::chrono::steady_clock;

    const std::chrono::milliseconds grace_;
    std::atomic<Clock::rep> until_{0}; ///< of Clock; known once stopped_ is told
    sse::WakePipe stopped_;
    std::atomic<bool> over_{false};
};

} // namespace cmd
