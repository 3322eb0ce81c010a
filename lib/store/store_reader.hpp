// The thread that reads a store, so that no event loop waits for the disk.
#pragma once

#include "store/store_reading.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace sse {

/// Runs the tasks in order. Members may be called on any thread.
class StoreReader {
public:
    using Task = std::function<void(StoreReading&)>;

    explicit StoreReader(StoreReading& reading)
        : reading_(reading) {}
    ~StoreReader() { stop(); }

    void start();
    /// Joins the thread; tasks that wait are dropped.
    void stop();
    /// Calls `task` on the thread.
    void read(Task task);

private:
    void run();

    StoreReading& reading_;
    std::mutex mutex_; ///< guards what follows
    std::condition_variable more_;
    std::deque<Task> tasks_;
    bool stopping_ = false;

    std::thread thread_;
};

} // namespace sse
