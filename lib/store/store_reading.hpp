// Reads events back from the segments of a store. It blocks on the disk, so it is never called on
// an event loop.
#pragma once

#include "hub/history.hpp"
#include "hub/log.hpp"
#include "store/segments.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sse {

/// Any thread. Arguments must belong to the same store.
class StoreReading {
public:
    /// `segments` must outlive it.
    explicit StoreReading(Segments& segments, std::size_t page_bytes)
        : segments_(segments)
        , page_bytes_(page_bytes) {}

    /// A page that contains event `from`, or the first remaining event after it. It may begin
    /// earlier, so that clients at nearly the same position share it. Empty if no such event
    /// remains.
    std::shared_ptr<History> page(const StoredChannel& channel, std::uint64_t from);
    /// The newest events before `next`, within `bounds`.
    LogTail tail(const StoredChannel& channel, ChannelEnd end, const HistoryOptions& bounds);
    /// The IDs of the events of `key`, each followed by LF, if they are still stored.
    std::string ids_of(const StoredChannel& channel, const StoredKey& key);
    /// See ChannelLog::locate().
    LogPosition locate(const StoredChannel& channel, const std::string& id);

private:
    /// Calls `use` for the complete records of the channel, in order, until it returns false.
    using Use = std::function<bool(const RecordView&)>;
    void each_record(const StoredChannel& channel, std::optional<SegmentSlice> slice,
                     const Use& use);
    bool each_record_of(const SegmentSlice& slice, const StoredChannel& channel,
                        std::string& buffer, const Use& use);
    std::optional<std::uint64_t> find_given(const StoredChannel& channel, const std::string& id);

    Segments& segments_;
    const std::size_t page_bytes_;
};

} // namespace sse
