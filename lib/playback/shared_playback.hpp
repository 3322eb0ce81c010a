// One playing for all who listen: a recording into a channel, in time. Not a feed: who subscribes,
// and from where, is the channel's.
#pragma once

#include "base/error.hpp"
#include "hub/channel.hpp"
#include "playback/playback.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace sse {

/// Plays on a thread of its own. Recorded reads are published as they are, so a client that joins
/// between them may join within an event.
class SharedPlayback {
public:
    /// `failed` is called on the thread if the recording cannot be read on.
    SharedPlayback(std::unique_ptr<Playback> playback, std::shared_ptr<Channel> channel,
                   std::function<void(const Error&)> failed);
    /// Stops.
    ~SharedPlayback();
    SharedPlayback(const SharedPlayback&) = delete;
    SharedPlayback& operator=(const SharedPlayback&) = delete;

    /// The clock begins now. Any thread; more than once is the same as once.
    void start();
    /// `t` of the record that was played last. Any thread.
    std::chrono::microseconds position() const {
        return std::chrono::microseconds(position_.load(std::memory_order_relaxed));
    }

private:
    void run();
    void play(Batch& batch);
    /// False: to be stopped.
    bool wait_until(Playback::Clock::time_point when);
    bool stopped();

    std::unique_ptr<Playback> playback_; ///< the thread's
    std::shared_ptr<Channel> channel_;
    std::function<void(const Error&)> failed_;
    std::atomic<std::int64_t> position_{0};

    std::mutex mutex_; ///< guards what follows
    std::condition_variable news_;
    bool stopped_ = false;
    std::thread thread_; ///< once started
};

} // namespace sse
