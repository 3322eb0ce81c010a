// Writes every event of a channel to a recording. It is no subscriber: it loses nothing under any
// overflow policy.
#pragma once

#include "hub/channel.hpp"
#include "recording/writer.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace sse {

/// Writes on a thread of its own, so that a slow disk does not delay subscribers. Batches that are
/// not written yet count as in flight: a disk that cannot keep up slows the publishers down, and
/// memory stays bounded.
class ChannelRecorder {
public:
    /// Records everything that is published from now on; nothing may have been published before.
    /// `on_failure` is called on the recorder's thread with an error message: once when writing
    /// fails for good (publishing continues), and for each event that is too large for a line.
    ChannelRecorder(std::unique_ptr<RecordingWriter> writer, std::shared_ptr<Channel> channel,
                    std::function<void(const std::string&)> on_failure);
    /// Calls finish().
    ~ChannelRecorder();
    ChannelRecorder(const ChannelRecorder&) = delete;
    ChannelRecorder& operator=(const ChannelRecorder&) = delete;

    /// Writes the remaining batches and the end of the stream, and joins the thread. Nothing may be
    /// published afterwards.
    void finish();
    /// Calls `action` once on the recorder's thread.
    void on_thread(std::function<void()> action);
    /// The recording is incomplete. Valid after finish().
    bool failed() const { return failed_; }

private:
    using Clock = std::chrono::steady_clock;
    using Entry = std::pair<Clock::time_point, std::shared_ptr<const Batch>>;
    class Lines;

    void enqueue(std::shared_ptr<const Batch> batch);
    void run();
    void write(Lines& lines, const Entry& entry);
    void flush();
    /// Runs `action`; an Error becomes a call of on_failure.
    void attempt(const std::function<void()>& action);
    std::chrono::microseconds since_start(Clock::time_point time) const;

    std::shared_ptr<Channel> channel_;
    std::function<void(const std::string&)> on_failure_;
    const Clock::time_point started_ = Clock::now();
    std::unique_ptr<RecordingWriter> writer_; ///< used on thread_ only
    bool broken_ = false;                     ///< used on thread_ only: writing has failed for good
    std::atomic<bool> failed_{false};

    std::mutex mutex_; ///< guards what follows
    std::condition_variable more_;
    std::vector<Entry> waiting_;
    bool finishing_ = false;
    std::function<void()> action_;

    std::thread thread_;
};

} // namespace sse
