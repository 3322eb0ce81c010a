// The settings of a store.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace sse {

/// How much is kept: the oldest segments are removed once any limit is passed. 0: no limit.
struct Retention {
    std::chrono::milliseconds age{0};
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
};

/// When written events are synced to the disk. What is answered to a publisher is synced before the
/// answer in any case but `never`.
struct StoreSync {
    enum class When {
        always,   ///< as soon as the last sync has ended
        interval, ///< so long after they were written, at most
        never,    ///< when the operating system likes
    } when = When::interval;
    std::chrono::milliseconds interval{50};
};

struct StoreOptions {
    Retention retain;
    StoreSync sync;
    /// A segment of this size is sealed, and another begun; a smaller size where the retention
    /// asks.
    std::uint64_t segment_bytes = 64 * 1024 * 1024;
    /// Bytes of drafts that are not written yet.
    std::size_t max_queued_bytes = 8 * 1024 * 1024;
    /// Bytes of a page that is read for clients.
    std::size_t page_bytes = 256 * 1024;
    /// After a failure, writing is tried again this often.
    std::chrono::milliseconds retry_after{1'000};
    /// How long a key of a draft is remembered.
    std::chrono::milliseconds key_age{300'000};
    /// Keys that are remembered at once, each in about 120 bytes; drafts with more are refused.
    std::size_t max_keys = 1'000'000;
    /// Called with a lowercase line when the state of the store changes. On any thread.
    std::function<void(const std::string&)> on_note;
};

} // namespace sse
