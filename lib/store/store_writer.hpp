// Writes the drafts of all channels, all that wait with one write, and delivers their events.
#pragma once

#include "store/disk_channel.hpp"
#include "store/recent_keys.hpp"
#include "store/segments.hpp"
#include "store/store_health.hpp"
#include "store/store_options.hpp"
#include "store/store_syncer.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sse {

/// Runs the thread that writes `segments`. Members may be called on any thread.
class StoreWriter {
public:
    /// Answers a draft that repeats another one: its events are those of `key`, which are on the
    /// disk.
    using OnCopy = std::function<void(const std::shared_ptr<DiskChannel>& channel, StoredKey key,
                                      std::function<void(const Receipt&)> done)>;

    /// The references must outlive it. Throws std::system_error.
    StoreWriter(Segments& segments, StoreSyncer& syncer, StoreHealth& health,
                const StoreOptions& options, OnCopy on_copy);
    ~StoreWriter() { stop(); }

    void start();
    /// Writes the queued drafts, if that is possible, and joins the thread.
    void stop();

    /// See ChannelLog::append().
    bool append(std::shared_ptr<DiskChannel> channel, Draft& draft);
    /// Notifies the sinks whose drafts were refused that it can write again.
    void wake_refused();

    std::uint64_t queued_bytes() const { return queued_now_.load(); }
    std::uint64_t copies() const { return copies_.load(); } ///< drafts with a key seen before

private:
    struct Pending {
        std::shared_ptr<DiskChannel> channel;
        std::shared_ptr<LogSink> sink;
        Draft draft;
        std::size_t drafted = 0; ///< bytes of the batch when it was appended
        enum class As : std::uint8_t { events, copy, refused } as = As::events;
        StoredKey::Hash hash{}; ///< of its key, if it has one
    };
    using Group = std::vector<Pending>;

    void run();
    bool wait(Group& group);
    void attempt(Group& group);
    void write(Group& group);
    void look_up_keys(Group& group, std::uint64_t now_ms);
    void encode(const Group& group, std::uint64_t now_ms);
    void answer(Pending& pending, std::string ids);
    void roll(std::uint64_t now_ms);
    void deliver(Group& group);
    void fail(Group& group, const std::string& error);
    void probe();

    Segments& segments_;
    StoreSyncer& syncer_;
    StoreHealth& health_;
    const StoreOptions& options_;
    const OnCopy on_copy_;
    std::atomic<std::uint64_t> queued_now_{0}, copies_{0};

    // The thread's own.
    std::uint64_t position_ = 0; ///< bytes written since the start
    std::string heads_;          ///< of the group being written
    std::vector<std::string_view> pieces_;
    std::vector<WrittenRecord> records_;
    RecentKeys keys_;
    /// The active one ends with incomplete bytes that could not be removed.
    bool broken_segment_ = false;

    std::mutex mutex_; ///< guards what follows
    std::condition_variable more_;
    Group queue_;
    std::size_t queued_bytes_ = 0;
    std::vector<std::weak_ptr<LogSink>> refused_;
    bool stopping_ = false;

    std::thread thread_;
};

} // namespace sse
