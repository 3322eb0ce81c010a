// Plays one recording into a channel, in time, for all clients at once. It does not serve clients:
// subscriptions and positions belong to the channel.
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

/// Owns the playback and the thread that runs it. Recorded reads are published unchanged, so a
/// client that joins between two reads may join within an event.
class SharedPlayback {
public:
    /// `failed` is called on the playback's thread if the recording cannot be read further.
    SharedPlayback(std::unique_ptr<Playback> playback, std::shared_ptr<Channel> channel,
                   std::function<void(const Error&)> failed);
    /// Stops the playback and closes the channel.
    ~SharedPlayback();
    SharedPlayback(const SharedPlayback&) = delete;
    SharedPlayback& operator=(const SharedPlayback&) = delete;

    /// Starts the playback; later calls have no effect. Any thread.
    void start();
    /// `t` of the record played last. Any thread.
    std::chrono::microseconds position() const {
        return std::chrono::microseconds(position_.load(std::memory_order_relaxed));
    }

private:
    void run();
    void publish_later(const Record& record, Batch& batch);
    /// False if the playback was stopped meanwhile.
    bool wait_until(Playback::Clock::time_point when);
    bool stopped();

    std::unique_ptr<Playback> playback_; ///< used by the thread only
    std::shared_ptr<Channel> channel_;
    std::function<void(const Error&)> failed_;
    std::atomic<std::int64_t> position_{0}; ///< microseconds

    std::mutex mutex_; ///< guards the members below
    std::condition_variable stop_requested_;
    bool stopped_ = false;
    std::thread thread_; ///< once started
};

} // namespace sse
