// The segments of a store: appends to the newest, removes the oldest, and finds events in them. It
// owns no thread. recover_segments() opens and repairs them at the start.
#pragma once

#include "base/descriptor.hpp"
#include "store/segment.hpp"
#include "store/segment_file.hpp"
#include "store/segment_recovery.hpp"
#include "store/store_options.hpp"
#include "store/stored_channel.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// Part of a segment, in which records of a channel are read in order.
struct SegmentSlice {
    std::uint64_t segment = 0; ///< its number
    std::size_t point = 0;     ///< its index among the points of the channel
    std::uint32_t seed = 0;
    std::uint64_t begin = 0, end = 0; ///< offsets
};

/// A record that was written.
struct WrittenRecord {
    StoredChannel* channel; ///< nullptr: a place alone
    RecordView record;
    const Batch* batch; ///< nullptr as `channel`
    std::uint64_t offset;
};

struct StoreSize {
    std::uint64_t segments = 0, bytes = 0, events = 0;
    std::uint64_t oldest = 0; ///< ms since 1970 of the oldest event; 0: none
};

/// Any thread, except the members for the writer.
class Segments {
public:
    /// Opens the store in the directory of `files`, and creates it if there is none. Throws as
    /// recover_segments() does.
    Segments(StoreFiles& files, const StoreOptions& options);

    /// The repairs that were made at the start, for people: one line each.
    const std::vector<std::string>& notes() const { return notes_; }

    /// The channel of that name, which is created if there is none.
    StoredChannel& channel(std::string_view name);
    ChannelEnd end(const StoredChannel& channel) const;
    /// The sequence number of its oldest event; that of the next one if there is none.
    std::uint64_t begin(const StoredChannel& channel) const;
    /// All channels with events.
    std::vector<std::string> channels() const;
    std::optional<std::string> place(const std::string& source) const;

    /// Where to read a channel from event `sequence` on, or from the first remaining event after
    /// it.
    std::optional<SegmentSlice> slice_at(const StoredChannel& channel,
                                         std::uint64_t sequence) const;
    /// Where to look for its event with the generated id `id`, or the first with a greater one.
    std::optional<SegmentSlice> slice_with(const StoredChannel& channel, EventId id) const;
    std::optional<SegmentSlice> slice_after(const StoredChannel& channel,
                                            const SegmentSlice& before) const;
    /// The sequence number of the first of the newest events within the bounds.
    std::uint64_t tail_begin(const StoredChannel& channel, std::uint64_t max_events,
                             std::uint64_t max_bytes) const;
    /// Records that may hold an event published with that ID; the newest first.
    std::vector<SegmentSlice> slices_with_given(const StoredChannel& channel,
                                                const std::string& id) const;
    /// The file of a segment, for reading; nullptr if it was removed.
    std::unique_ptr<StoreFile> open(std::uint64_t segment) const;

    StoreSize size() const;
    std::uint64_t damaged() const { return damaged_.load(); }
    /// Counts damaged places that were found by reading.
    void count_damage(std::uint64_t places) { damaged_ += places; }
    /// The segment being written.
    std::shared_ptr<StoreFile> active_file() const;

    /// The keys of recent records that were found at the start, in their order; once.
    std::vector<StoredKey> take_recent_keys() { return std::exchange(recent_keys_, {}); }

    // For the writer, one thread.
    std::uint64_t active_size() const { return active_size_; }
    std::uint32_t active_seed() const { return active_seed_; }
    /// True if another segment should begin, because `bytes` more exceed the size or because of its
    /// age.
    bool is_full(std::uint64_t bytes, std::uint64_t now_ms) const;
    /// Begins another segment. The caller has synced the previous one, if that is needed.
    void roll(std::uint64_t now_ms, bool sync);
    /// Adds the records that were written, one after the other, from active_size() on.
    void commit(std::span<const WrittenRecord> records);
    /// Removes bytes after active_size() that were written incompletely.
    void discard_rest();

    // For one other thread.
    /// Removes the segments beyond the retention. Returns their number.
    std::size_t expire(std::uint64_t now_ms);
    /// Writes the index of a sealed segment that has none; false if all have theirs.
    bool write_index(bool sync);

private:
    Segments(StoreFiles& files, const StoreOptions& options, RecoveredSegments recovered);
    static SegmentSlice slice(const Segment& segment, std::string_view channel,
                              const SegmentIndex::Point* point);
    std::deque<std::unique_ptr<Segment>>::const_iterator at(std::uint64_t number) const;

    StoreFiles& files_;
    const StoreOptions& options_;
    std::uint64_t segment_bytes_;
    const Descriptor lock_; ///< of the directory
    const std::vector<std::string> notes_;
    std::atomic<std::uint64_t> damaged_;
    std::vector<StoredKey> recent_keys_;

    std::uint64_t active_size_ = 0; ///< used by the writer only
    std::uint32_t active_seed_ = 0;

    mutable std::mutex mutex_;                      ///< guards what follows
    std::deque<std::unique_ptr<Segment>> segments_; ///< by number; the last is being written
    std::shared_ptr<StoreFile> active_;
    std::map<std::string, StoredChannel, std::less<>> channels_;
    std::map<std::string, std::string, std::less<>> places_;
};

} // namespace sse
