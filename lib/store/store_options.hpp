// The settings of a store.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace sse {

/// How much is kept: the oldest segments are removed once any limit is exceeded. 0: no limit.
struct Retention {
    std::chrono::milliseconds age{0};
    std::uint64_t bytes = 0;
    std::uint64_t events = 0;
};

/// When written events are synced to the disk. Events are always synced before their publisher is
/// answered, except with `never`.
struct StoreSync {
    enum class When {
        always,   ///< as soon as the last sync has ended
        interval, ///< at most this long after they were written
        never,    ///< when the operating system writes them back
    } when = When::interval;
    std::chrono::milliseconds interval{50};
};

struct StoreOptions {
    Retention retain;
    StoreSync sync;
    /// A segment that reaches this size is sealed, and another one begins. Smaller if the retention
    /// requires it.
    std::uint64_t segment_bytes = 64 * 1024 * 1024;
    /// Bound of the bytes of drafts that are not written yet; beyond it, drafts are refused.
    std::size_t max_queued_bytes = 8 * 1024 * 1024;
    /// Size in bytes of a page that is read for clients.
    std::size_t page_bytes = 256 * 1024;
    /// After a failure, writing is tried again this often.
    std::chrono::milliseconds retry_after{1'000};
    /// How long a key of a draft is remembered.
    std::chrono::milliseconds key_age{300'000};
    /// Keys that are remembered at once, each in about 120 bytes; drafts with further keys are
    /// refused.
    std::size_t max_keys = 1'000'000;
    /// Called with a lowercase line when the state of the store changes. On any thread.
    std::function<void(const std::string&)> on_note;
};

} // namespace sse
