// Reads events back from the segments of a store. Blocks on the disk: never on an event loop.
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

/// Any thread; the arguments must be of one store.
class StoreReading {
public:
    /// `segments` must outlive it.
    explicit StoreReading(Segments& segments, std::size_t page_bytes)
        : segments_(segments)
        , page_bytes_(page_bytes) {}

    /// A page with event `from`, or with the first that is left after it; it may begin earlier, so
    /// that readers of nearly the same place share it. Empty if none is left.
    std::shared_ptr<History> page(const StoredChannel& channel, std::uint64_t from);
    /// The newest events before `next`, within `bounds`.
    LogTail tail(const StoredChannel& channel, ChannelEnd end, const HistoryOptions& bounds);
    /// The ids of the events of `key`, each followed by LF, as far as they are held.
    std::string ids_of(const StoredChannel& channel, const StoredKey& key);
    /// See ChannelLog::locate().
    LogPosition locate(const StoredChannel& channel, const std::string& id);

private:
    /// Calls `use` for the whole records of the channel, in order, until it returns false.
    using Use = std::function<bool(const RecordView&)>;
    void each_record(const StoredChannel& channel, std::optional<SegmentSlice> slice,
                     const Use& use);
    bool each_record_of(const SegmentSlice& slice, const StoredChannel& channel, const Use& use);
    std::optional<std::uint64_t> find_given(const StoredChannel& channel, const std::string& id);

    Segments& segments_;
    const std::size_t page_bytes_;
};

} // namespace sse
