#include "store/store_syncer.hpp"

#include "base/unix_time.hpp"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

namespace sse {

namespace {

constexpr std::chrono::milliseconds maintenance_interval{1'000};

} // namespace

StoreSyncer::StoreSyncer(Segments& segments, StoreHealth& health, const StoreOptions& options,
                         std::function<void()> on_recovered)
    : segments_(segments)
    , health_(health)
    , options_(options)
    , on_recovered_(std::move(on_recovered)) {}

void StoreSyncer::start() {
    thread_ = std::thread([this] { run(); });
}

void StoreSyncer::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    more_.notify_one();
    thread_.join();
    complete(std::numeric_limits<std::uint64_t>::max(), "the store was closed");
}

void StoreSyncer::wrote(std::uint64_t position) {
    {
        const std::lock_guard lock(mutex_);
        const bool clean = written_ == synced_;
        if (clean) unsynced_since_ = Clock::now();
        written_ = position;
        if (options_.sync.when == StoreSync::When::never) synced_ = position;
        if (!clean || written_ == synced_) return; // it knows already
    }
    more_.notify_one();
}

void StoreSyncer::when_synced(std::uint64_t position, Synced synced) {
    {
        const std::lock_guard lock(mutex_);
        if (position > synced_) {
            waiting_.push_back({position, std::move(synced)});
            synced = nullptr;
        }
    }
    if (synced) synced("");
    else more_.notify_one();
}

void StoreSyncer::synced_to(std::uint64_t position) {
    {
        const std::lock_guard lock(mutex_);
        synced_ = std::max(synced_, position);
    }
    complete(position, "");
}

bool StoreSyncer::is_due(Clock::time_point now) const {
    if (stopping_) return true;
    if (written_ == synced_ || now < not_before_) return false;
    return !waiting_.empty() || options_.sync.when == StoreSync::When::always ||
           now - unsynced_since_ >= options_.sync.interval;
}

void StoreSyncer::run() {
    auto maintained = Clock::now();
    for (bool last = false; !last;) {
        std::uint64_t position = 0;
        {
            std::unique_lock lock(mutex_);
            const bool dirty = written_ > synced_;
            const bool interval = dirty && options_.sync.when == StoreSync::When::interval;
            more_.wait_for(lock, interval ? options_.sync.interval : maintenance_interval,
                           [&] { return is_due(Clock::now()) || (!dirty && written_ > synced_); });
            last = stopping_;
            if (is_due(Clock::now()) && written_ > synced_) position = written_;
        }
        if (position > 0) sync(position);
        // At the end as well: the next start reads a file without an index as a whole.
        if (last || Clock::now() - maintained >= maintenance_interval) {
            maintain();
            maintained = Clock::now();
        }
    }
}

void StoreSyncer::sync(std::uint64_t position) {
    const auto begin = Clock::now();
    try {
        segments_.active_file()->sync();
    } catch (const std::system_error& e) {
        health_.failed_to_sync(e.what());
        {
            const std::lock_guard lock(mutex_);
            not_before_ = Clock::now() + options_.retry_after;
        }
        return complete(position, e.what());
    }
    last_sync_us_ =
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
    ++syncs_;
    {
        const std::lock_guard lock(mutex_);
        synced_ = std::max(synced_, position);
        unsynced_since_ = begin;
    }
    complete(position, "");
    if (health_.can_sync()) on_recovered_();
}

/// Everything before `position` is synced, or failed.
void StoreSyncer::complete(std::uint64_t position, const std::string& error) {
    for (;;) {
        Synced synced;
        {
            const std::lock_guard lock(mutex_);
            const auto found =
                std::find_if(waiting_.begin(), waiting_.end(),
                             [&](const Waiting& one) { return one.position <= position; });
            if (found == waiting_.end()) return;
            synced = std::move(found->synced);
            waiting_.erase(found);
        }
        synced(error);
    }
}

void StoreSyncer::maintain() {
    try {
        segments_.expire(unix_ms());
        while (segments_.write_index(options_.sync.when != StoreSync::When::never)) {
        }
    } catch (const std::system_error&) { // tried again: a full disk has no room for an index
    }
}

} // namespace sse
