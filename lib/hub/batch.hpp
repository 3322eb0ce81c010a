// Events encoded once, to be sent to many subscribers.
#pragma once

#include "hub/event_id.hpp"
#include "protocol/event.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// The number of no event.
constexpr auto unknown_number = std::numeric_limits<std::uint64_t>::max();
/// Of Batch::lost_from.
constexpr auto lost_nothing = unknown_number - 1;

/// Encoded events that are published together, in one piece of memory. Each is stored as one
/// HTTP/1.1 chunk (RFC 9112 7.1), so any run of whole events can be sent to any subscriber without
/// a copy, and an event number and a byte count describe a subscriber's position. Built by one
/// thread, immutable once published, then read by the threads of all loops.
class Batch {
public:
    /// Throws Error (bad_input) if type or id cannot be encoded; the batch is then unchanged.
    /// `generated`: its id is of EventIds, and not of the publisher.
    void add(const EventView& event, bool generated = false);
    /// An entry without an id that dispatches no event in a client.
    void add_comment(std::string_view text);
    void add_retry(std::chrono::milliseconds retry);
    /// Event-stream text, unchanged; it may end inside a block.
    void add_text(std::string_view text);

    /// Releases the memory that only building needs. Call it before publishing.
    void seal();
    /// Replaces generated ids that are not greater than `last`, or than one before them, so that
    /// they increase. Returns the greatest, or `last`. Before publishing; seals the batch.
    EventId renumber(EventId last);
    /// Replaces generated ids: that of the first entry, if it has one, is `first`, and each later
    /// one is greater by its distance. Before publishing; seals the batch.
    void number(EventId first);

    std::size_t size() const { return entries_.size(); }
    bool empty() const { return entries_.empty(); }
    /// Bytes held once sealed: the chunks, their index, and itself.
    std::size_t bytes() const {
        return sizeof(Batch) + chunks_.size() + entries_.size() * sizeof(Entry);
    }
    /// Bytes allocated for it.
    std::size_t capacity() const {
        return sizeof(Batch) + chunks_.capacity() + entries_.capacity() * sizeof(Entry) +
               block_.capacity();
    }

    /// Entries [from, size()) as chunks, in one view.
    std::string_view chunks_from(std::size_t from) const {
        return std::string_view(chunks_).substr(offset(from));
    }
    /// One entry as a chunk, and the same without framing.
    std::string_view chunk(std::size_t index) const;
    std::string_view block(std::size_t index) const;
    /// The id without blanks around it, as a client returns it in a header (RFC 9110 5.5). "" if
    /// the entry has none.
    std::string_view id(std::size_t index) const;
    /// The entry that holds byte `offset` of chunks_from(0); size() at or past the end.
    std::size_t entry_at(std::size_t offset) const;
    std::size_t offset(std::size_t index) const { return index == 0 ? 0 : entries_[index - 1].end; }

    bool generated(std::size_t index) const { return entries_[index].generated; }

    /// The whole batch as it is stored: its index, and its chunks.
    std::string_view index_bytes() const {
        return {reinterpret_cast<const char*>(entries_.data()), entries_.size() * sizeof(Entry)};
    }
    std::string_view chunk_bytes() const { return chunks_; }
    /// The batch with these bytes; nullopt if they do not belong together.
    static std::optional<Batch> restore(std::string_view index, std::string_view chunks);
    static std::size_t index_bytes_of(std::size_t entries) { return entries * sizeof(Entry); }

    /// The sequence number of the first entry in its channel; set by the channel when it publishes
    /// the batch.
    std::uint64_t first = 0;
    /// Of the events that arrived before this batch, the log has lost those from this number on,
    /// and may hold others with their numbers. unknown_number: some; lost_nothing: none.
    std::uint64_t lost_from = lost_nothing;

private:
    struct Entry {         // as it is stored: sse-store(7)
        std::uint32_t end; ///< in chunks_
        std::uint32_t
            id_size : 24;       ///< the id stands at the end of the block, before the blank line
        std::uint32_t head : 7; ///< bytes of the chunk's size line
        std::uint32_t generated : 1;
    };
    void add_block(std::size_t id_size, bool generated = false);
    EventId renumber_each(EventId last);
    void add_renumbered(const Batch& from, std::size_t index, EventId id);

    std::string chunks_;
    std::string block_; ///< the block being encoded
    std::vector<Entry> entries_;
};

} // namespace sse
