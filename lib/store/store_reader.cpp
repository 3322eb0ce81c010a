#include "store/store_reader.hpp"

#include <utility>

namespace sse {

void StoreReader::start() {
    thread_ = std::thread([this] { run(); });
}

void StoreReader::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    more_.notify_one();
    thread_.join();
}

void StoreReader::read(Task task) {
    {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
    }
    more_.notify_one();
}

void StoreReader::run() {
    for (;;) {
        Task task;
        {
            std::unique_lock lock(mutex_);
            more_.wait(lock, [&] { return stopping_ || !tasks_.empty(); });
            if (stopping_) return;
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        task(reading_);
    }
}

} // namespace sse
