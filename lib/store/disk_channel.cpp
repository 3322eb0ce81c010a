#include "store/disk_channel.hpp"

#include "store/disk_log.hpp"

namespace sse {

bool DiskChannel::append(Draft& draft) { return log_.append(shared_from_this(), draft); }

void DiskChannel::read(std::uint64_t from, std::function<void(std::shared_ptr<History>)> done) {
    log_.read([self = shared_from_this(), from, done = std::move(done)](StoreReading& store) {
        done(store.page(self->stored_, from));
    });
}

void DiskChannel::locate(std::string id, std::function<void(LogPosition)> done) {
    log_.read([self = shared_from_this(), id = std::move(id), done = std::move(done)](
                  StoreReading& store) { done(store.locate(self->stored_, id)); });
}

std::uint64_t DiskChannel::begin() const { return log_.segments().begin(stored_); }

void DiskChannel::open(LogTail tail) {
    const auto sink = sink_.lock();
    if (!sink) return;
    sink->opened(std::move(tail));
    for (;;) {
        decltype(held_) held;
        {
            const std::lock_guard lock(mutex_);
            held.swap(held_);
            if (held.empty()) {
                opened_ = true;
                return;
            }
        }
        for (auto& [batch, drafted] : held) sink->arrived(std::move(batch), drafted);
    }
}

void DiskChannel::deliver(const std::shared_ptr<const Batch>& batch, std::size_t drafted) {
    {
        const std::lock_guard lock(mutex_);
        if (!opened_) return held_.emplace_back(batch, drafted), void();
    }
    if (const auto sink = sink_.lock()) sink->arrived(batch, drafted);
}

} // namespace sse
