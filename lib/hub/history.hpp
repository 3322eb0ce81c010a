// The newest events of a channel. Not a queue: reading removes nothing.
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
    /// Events kept for clients that connect later or resume.
    std::size_t max_events = 10'000;
    /// Bytes of encoded events kept.
    std::size_t max_bytes = 64 * 1024 * 1024;
};

/// A position in a history: an event, and a number of its bytes.
struct Cursor {
    std::uint64_t next = 0; ///< sequence number of the first event not sent whole
    std::uint32_t sent = 0; ///< bytes of that event already sent
};

/// The newest events of a channel by sequence number, bounded by events and by bytes. It holds the
/// batches as they were published, shared with the histories of the other loops. Used on one loop's
/// thread only.
class History {
public:
    /// Its first event will be `first`.
    explicit History(HistoryOptions options, std::uint64_t first = 0)
        : options_(options)
        , begin_(first)
        , end_(first) {}

    /// The events [begin(), end()) are held.
    std::uint64_t begin() const { return begin_; }
    std::uint64_t end() const { return end_; }
    std::size_t bytes() const { return bytes_; }

    /// The value of begin() after append(batch).
    std::uint64_t begin_after(const Batch& batch) const;
    /// Appends `batch` and evicts the oldest events beyond the bounds. `batch->first` must be
    /// end().
    void append(std::shared_ptr<const Batch> batch);

    /// The sequence number of the newest event held with that id; nullopt if there is none.
    std::optional<std::uint64_t> find(std::string_view id);
    /// The sequence number of the `count`th event from the end; begin() if there are fewer. Entries
    /// without an id, such as comments, are not counted.
    std::uint64_t last(std::size_t count) const;

    /// One entry as a chunk, and without framing. It must be held.
    std::string_view chunk(std::uint64_t sequence) const;
    std::string_view block(std::uint64_t sequence) const;
    /// The id of an entry; "" if it has none.
    std::string_view id(std::uint64_t sequence) const;
    /// Fills `out` with views of the bytes from `at` on, as chunks or without framing; returns the
    /// number of views. They are valid until the next append().
    std::size_t gather_chunks(Cursor at, std::span<std::string_view> out) const;
    std::size_t gather_blocks(Cursor at, std::span<std::string_view> out) const;
    /// `at` advanced by `bytes` of what gather_chunks() or gather_blocks() returned.
    Cursor advance_chunks(Cursor at, std::size_t bytes) const;
    Cursor advance_blocks(Cursor at, std::size_t bytes) const;

    /// Bytes from `at` to the end, as gather_chunks() and gather_blocks() would return them.
    std::size_t chunk_bytes_from(Cursor at) const;
    std::size_t block_bytes_from(Cursor at) const;

private:
    /// The batch that holds `sequence`, which must be in [begin, end).
    std::size_t batch_of(std::uint64_t sequence) const;
    void index_new_ids();

    HistoryOptions options_;
    std::deque<std::shared_ptr<const Batch>> batches_;
    std::uint64_t begin_, end_;
    std::size_t bytes_ = 0;
    /// From the hash of an id to the newest event with that hash. Updated when a client resumes, so
    /// that publishing pays nothing for it.
    std::unordered_map<std::uint64_t, std::uint64_t> index_;
    std::uint64_t indexed_ = 0; ///< the index covers the events before this
};

} // namespace sse
