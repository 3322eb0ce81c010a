// What a channel publishes, as a recording. Not a subscriber: it loses nothing, whatever the
// overflow policy, and has no place in the history.
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

/// Writes on a thread of its own, so that a slow disk does not hold up those who read the channel.
/// What it has not written yet counts as on its way: a disk that cannot keep up slows the
/// publishers, and memory stays bounded.
class ChannelRecorder {
public:
    /// Records from now on, with the ids that were given. `on_failure` is called on the recorder's
    /// thread with what is wrong: once if nothing can be written any more, which publishers do not
    /// notice, or for each event that is too large for a line. `channel` must not have been
    /// published to.
    ChannelRecorder(std::unique_ptr<RecordingWriter> writer, std::shared_ptr<Channel> channel,
                    std::function<void(const std::string&)> on_failure);
    /// Writes what is left.
    ~ChannelRecorder();
    ChannelRecorder(const ChannelRecorder&) = delete;
    ChannelRecorder& operator=(const ChannelRecorder&) = delete;

    /// Writes what is left, and that the stream has ended. Nothing may be published after it.
    void finish();
    /// Not all that was published is in the file. After finish().
    bool failed() const { return failed_; }

private:
    using Clock = std::chrono::steady_clock;
    using Entry = std::pair<Clock::time_point, std::shared_ptr<const Batch>>;
    class Lines;

    void take(std::shared_ptr<const Batch> batch);
    void run();
    void write(Lines& lines, const Entry& entry);
    void flush();
    void try_to(const std::function<void()>& action);
    std::chrono::microseconds since_start(Clock::time_point time) const;

    std::shared_ptr<Channel> channel_;
    std::function<void(const std::string&)> on_failure_;
    const Clock::time_point started_ = Clock::now();
    std::unique_ptr<RecordingWriter> writer_; ///< the thread's
    bool broken_ = false;                     ///< the thread's: nothing can be written any more
    std::atomic<bool> failed_{false};

    std::mutex mutex_; ///< guards what follows
    std::condition_variable more_;
    std::vector<Entry> waiting_;
    bool finishing_ = false;

    std::thread thread_;
};

} // namespace sse
