// Syncs a store to the disk, writes indexes, and applies the retention: the work that may be slow.
#pragma once

#include "store/segments.hpp"
#include "store/store_health.hpp"
#include "store/store_options.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace sse {

/// Runs a thread. Positions are bytes written since the start, in all segments together.
class StoreSyncer {
public:
    using Clock = std::chrono::steady_clock;
    /// Called with "" once the bytes are synced, or with the reason if that failed.
    using Synced = std::function<void(const std::string& error)>;

    /// The references must outlive it. `on_recovered`: a sync has succeeded again.
    StoreSyncer(Segments& segments, StoreHealth& health, const StoreOptions& options,
                std::function<void()> on_recovered);
    ~StoreSyncer() { stop(); }

    void start();
    /// Syncs everything written, and joins the thread.
    void stop();

    /// Everything before `position` has been written.
    void wrote(std::uint64_t position);
    /// Calls `synced` once everything before `position` is on the disk.
    void when_synced(std::uint64_t position, Synced synced);
    /// The writer has synced everything before `position`.
    void synced_to(std::uint64_t position);

    std::uint64_t syncs() const { return syncs_.load(); }
    std::chrono::microseconds last_sync_took() const {
        return std::chrono::microseconds(last_sync_us_.load());
    }

private:
    struct Waiting {
        std::uint64_t position;
        Synced synced;
    };
    void run();
    bool is_due(Clock::time_point now) const;
    void sync(std::uint64_t position);
    void complete(std::uint64_t position, const std::string& error);
    void maintain();

    Segments& segments_;
    StoreHealth& health_;
    const StoreOptions& options_;
    const std::function<void()> on_recovered_;
    std::atomic<std::uint64_t> syncs_{0};
    std::atomic<std::int64_t> last_sync_us_{0};

    std::mutex mutex_; ///< guards what follows
    std::condition_variable more_;
    std::uint64_t written_ = 0, synced_ = 0;
    Clock::time_point unsynced_since_{}; ///< of the oldest byte that is not synced
    Clock::time_point not_before_{};     ///< after a failure
    std::deque<Waiting> waiting_;
    bool stopping_ = false;

    std::thread thread_;
};

} // namespace sse
