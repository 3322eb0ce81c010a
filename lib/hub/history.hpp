// What a channel still has. Not a queue: reading takes nothing away.
#pragma once

#include "hub/batch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

namespace sse {

struct HistoryOptions {
    /// Events kept for those who come late or come back.
    std::size_t max_events = 10'000;
    /// Bytes kept, encoded.
    std::size_t max_bytes = 64 * 1024 * 1024;
};

/// A place in a history, and how much of that place's bytes a socket has taken.
struct Cursor {
    std::uint64_t next = 0; ///< sequence number of the first event not yet sent whole
    std::uint32_t sent = 0; ///< bytes of it already taken
};

/// The newest events of a channel, by sequence number: a ring bounded by events and by bytes, made
/// of the batches as they were published. Used on one loop's thread only; the batches are shared
/// with the histories of the other loops.
class History {
public:
    explicit History(HistoryOptions options)
        : options_(options) {}

    /// Sequence numbers: [begin, end) are held.
    std::uint64_t begin() const { return begin_; }
    std::uint64_t end() const { return end_; }
    std::size_t bytes() const { return bytes_; }

    /// Where begin() will be once `batch` has been appended.
    std::uint64_t begin_after(const Batch& batch) const;
    /// Appends, pushing out the oldest events beyond the bounds. `batch->first` must be end().
    void append(std::shared_ptr<const Batch> batch);

    /// The sequence number of the newest event held with that id.
    std::optional<std::uint64_t> find(std::string_view id);
    /// The sequence number of the event that stands `count` events before the end, comments and
    /// other entries without an id not counted; begin() if there are fewer.
    std::uint64_t last(std::size_t count) const;

    /// One event, framed; it must be held.
    std::string_view chunk(std::uint64_t sequence) const;
    std::string_view block(std::uint64_t sequence) const;
    /// "" if it has none.
    std::string_view id(std::uint64_t sequence) const;
    /// Fills `out` with views of the bytes from `at` on, as chunks or as plain blocks; returns how
    /// many. Views live until the next append().
    std::size_t gather_chunks(Cursor at, std::span<std::string_view> out) const;
    std::size_t gather_blocks(Cursor at, std::span<std::string_view> out) const;
    /// `at`, moved on by `bytes` of what gather_chunks() or gather_blocks() gave.
    Cursor advance_chunks(Cursor at, std::size_t bytes) const;
    Cursor advance_blocks(Cursor at, std::size_t bytes) const;

private:
    /// The batch that holds `sequence`, which must be in [begin, end).
    std::size_t batch_of(std::uint64_t sequence) const;
    void index_new_ids();

    HistoryOptions options_;
    std::deque<std::shared_ptr<const Batch>> batches_;
    std::uint64_t begin_ = 0, end_ = 0;
    std::size_t bytes_ = 0;
    /// From the hash of an id to the newest event that has it. Brought up to date when somebody
    /// resumes, and not before: publishing pays nothing for it.
    std::unordered_map<std::size_t, std::uint64_t> index_;
    std::uint64_t indexed_ = 0; ///< events before this are in the index
};

} // namespace sse
