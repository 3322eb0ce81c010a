// The index of one segment: sparse by sequence number and generated ID, exact for IDs that events
// were published with. All of it is in memory while the segment is written, and the sparse part
// also later.
#pragma once

#include "store/files.hpp"
#include "store/recent_keys.hpp"
#include "store/stored_record.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sse {

/// Not thread-safe.
class SegmentIndex {
public:
    /// A record of a channel from which reading can begin. Other records follow before the next
    /// point.
    struct Point {
        std::uint64_t sequence = 0; ///< of its first event
        EventId before;             ///< the greatest generated id of the channel before it
        std::uint64_t bytes = 0;    ///< of the channel's records before it in the segment
        std::uint64_t offset = 0;
    };
    /// The records of one channel.
    struct Run {
        std::vector<Point> points;
        std::uint64_t next = 0;  ///< the sequence number after the last event
        std::uint64_t bytes = 0; ///< of the records
        std::uint64_t end = 0;   ///< the offset after the last record
        EventId last;            ///< the greatest generated id

        std::uint64_t first() const { return points.front().sequence; }
        /// The last point with a sequence number of at most `sequence`, or the first point.
        const Point& point_at(std::uint64_t sequence) const;
        /// The last point before which all IDs are less than `id`, or the first point.
        const Point& point_before(EventId id) const;
    };

    /// `seed`: of the segment's head.
    explicit SegmentIndex(std::uint32_t seed)
        : seed_(seed) {}

    /// Adds the record at `offset`, after those added before. `last_before`: the greatest generated
    /// ID of its channel before it.
    void add(const RecordView& record, std::uint64_t offset, EventId last_before);

    /// Adds an ID that an event of the record at `offset` was published with.
    void add_given(std::string_view channel, std::string_view id, std::uint64_t offset);
    /// Adds all such IDs of a record that was read.
    void add_given_of(const RecordView& record, std::uint64_t offset);

    /// The idempotency keys of its records, in their order, until forget_keys().
    const std::vector<StoredKey>& keys() const { return keys_; }
    void forget_keys() { std::vector<StoredKey>().swap(keys_); }

    const std::map<std::string, Run, std::less<>>& runs() const { return runs_; }
    const Run* run(std::string_view channel) const;
    const std::map<std::string, std::string, std::less<>>& places() const { return places_; }
    std::uint64_t events() const { return events_; }
    std::uint64_t first_time() const { return first_time_; } ///< ms since 1970; 0: no record
    std::uint64_t last_time() const { return last_time_; }

    /// The offset of the last record that may hold an event published with that ID. `file` is the
    /// index file, if the segment has one and the IDs are no longer in memory.
    std::optional<std::uint64_t> find_given(std::string_view channel, std::string_view id,
                                            const StoreFile* file) const;

    /// The index as the contents of a file, for a segment of `segment_bytes` bytes.
    std::string encode(std::uint64_t segment_bytes) const;
    /// The index has been written to a file: frees what find_given() can read from there.
    void release_ids(const std::string& encoded);
    /// Reads an index file; nullopt if it is damaged, or of another segment. Keys are read only if
    /// the segment has a record of `keys_since` (ms since 1970) or later.
    static std::optional<SegmentIndex> load(const StoreFile& file, std::uint32_t seed,
                                            std::uint64_t segment_bytes,
                                            std::uint64_t keys_since = 0);

private:
    std::uint64_t hash(std::string_view channel, std::string_view id) const;

    std::uint32_t seed_;
    std::map<std::string, Run, std::less<>> runs_;
    std::map<std::string, std::string, std::less<>> places_; ///< the last of each source
    std::uint64_t events_ = 0, first_time_ = 0, last_time_ = 0;
    std::vector<StoredKey> keys_;
    std::unordered_map<std::uint64_t, std::uint64_t> given_; ///< hash of an id: offset
    std::uint64_t stored_ids_ = 0, ids_at_ = 0;              ///< in the file
};

} // namespace sse
