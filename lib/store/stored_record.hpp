// One record of a segment: the events that one channel published together. No I/O.
#pragma once

#include "hub/batch.hpp"
#include "hub/event_id.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The first bytes of a record, as they are stored, little-endian.
struct RecordHead {
    std::uint32_t magic = expected_magic;
    std::uint32_t crc = 0;   ///< of all that follows it in the record, begun with the seed
    std::uint32_t size = 0;  ///< of the record, with its head
    std::uint32_t count = 0; ///< events; 0: a place alone
    std::uint64_t first = 0; ///< the sequence number of the first event
    std::uint64_t time = 0;  ///< ms since 1970: when it was written
    EventId last;            ///< the greatest generated id of the channel, with this record
    std::uint16_t name_size = 0, key_size = 0, source_size = 0, place_size = 0;

    static constexpr std::uint32_t expected_magic = 0x3152'6573; // "seR1"
};
static_assert(sizeof(RecordHead) == 56);

/// A record in memory: views of its bytes.
struct RecordView {
    RecordHead head;
    std::string_view name, key, source, place; ///< of the channel; see Draft
    std::string_view index, chunks;            ///< of the batch

    std::uint64_t end() const { return head.first + head.count; }
    /// Its events; nullptr if the bytes are inconsistent.
    std::shared_ptr<Batch> batch() const;
};

/// Sets the sizes in the head from the other members of `record`. Does not set the crc.
void set_sizes(RecordView& record);
/// The checksum for the head.
std::uint32_t record_crc(const RecordView& record, std::uint32_t seed);

/// The head at the start of `bytes`, if its sizes are plausible. The checksum is not verified.
std::optional<RecordHead> parse_record_head(std::string_view bytes);
/// The record whose bytes are exactly `bytes`; nullopt if it is damaged.
std::optional<RecordView> parse_record(std::string_view bytes, std::uint32_t seed);
/// The name of the channel of a record; `bytes` must contain at least its head and name.
std::string_view record_name(const RecordHead& head, std::string_view bytes);

} // namespace sse
