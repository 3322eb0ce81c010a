// The events that were published together, as an entry of a stream in Redis and as a message.
// Parses both. No I/O.
#pragma once

#include "hub/batch.hpp"
#include "hub/event_id.hpp"
#include "redis/redis_reply.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

std::string text_of(EventId id);

/// One entry. Its ID is that of its last event; the IDs of its earlier events count down from it.
struct RedisEntry {
    EventId last;
    std::uint64_t first = 0; ///< the sequence number of the first event
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;   ///< of all events of the channel before these
    std::string session;       ///< of the server that published it
    std::uint64_t number = 0;  ///< among the drafts of that session, from 1
    std::string key;           ///< the idempotency key; "": none
    std::string index, chunks; ///< of the batch

    std::uint64_t end() const { return first + count; }
    EventId first_id() const { return {last.ms, last.n + 1 - count}; }
    /// The events with their IDs and sequence numbers; nullptr if the bytes are inconsistent.
    std::shared_ptr<Batch> batch() const;
};

/// Parses an entry as XRANGE and XREVRANGE return it; nullopt if it was not written by sse.
std::optional<RedisEntry> parse_entry(RedisReply& item);

/// An entry as it is published, and the ID of the entry before it.
struct RedisMessage {
    EventId previous;
    RedisEntry entry;
};
std::optional<RedisMessage> parse_message(std::string_view text);

} // namespace sse
