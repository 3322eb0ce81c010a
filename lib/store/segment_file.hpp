// One file of a store with events: a head, then records. Knows the names of the files, reads their
// heads, and reads their records in order. A SegmentIndex knows where events are in them.
#pragma once

#include "store/files.hpp"
#include "store/stored_record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// `00000000000000000007.events`: names sort as their numbers do.
std::string segment_name(std::uint64_t number);
/// The file with the index of a sealed segment.
std::string segment_index_name(std::uint64_t number);
/// The number of the segment with that name; nullopt if it is not the name of a segment.
std::optional<std::uint64_t> segment_number(const std::string& name);

/// The first bytes of a segment.
struct SegmentHead {
    std::uint64_t magic = expected_magic;
    std::uint32_t version = 1;
    std::uint32_t seed = 0; ///< random, so that data of an event cannot be mistaken for a record
    std::uint64_t number = 0;
    std::uint64_t created = 0; ///< ms since 1970

    static constexpr std::uint64_t expected_magic = 0x65'726F'7473'6573'73; // "ssestore"
};
static_assert(sizeof(SegmentHead) == 32);

/// Reads the head; nullopt if the file has none. Throws std::system_error, and Error (bad_input)
/// for an unknown version of the format.
std::optional<SegmentHead> read_segment_head(const StoreFile& file, const std::string& path);

/// Reads the records of a segment in order. One thread.
class SegmentScanner {
public:
    /// Reads [begin, end) of `file` into `buffer`; both must outlive it. What `buffer` contained is
    /// overwritten: several scanners can use one, one after the other, which saves the page faults
    /// of fresh memory. `seed`: of the segment's head.
    SegmentScanner(const StoreFile& file, std::string& buffer, std::uint32_t seed,
                   std::uint64_t begin, std::uint64_t end);

    /// The next complete record, which is valid until the next call; nullopt at the end. Skips
    /// damaged bytes. With `channel`, skips the records of other channels without checking them.
    std::optional<RecordView> next(std::optional<std::string_view> channel = std::nullopt);
    std::uint64_t offset() const { return offset_; } ///< of the record returned last
    /// Continues at `offset`, the start of a record.
    void seek(std::uint64_t offset) { next_ = offset; }
    /// The end of the last record that was returned or skipped as another channel's.
    std::uint64_t end_of_records() const { return end_of_records_; }
    /// The number of damaged places that a complete record follows.
    std::uint64_t damaged() const { return damaged_; }

private:
    /// At least `size` bytes from next_ on; fewer at the end.
    std::string_view bytes(std::size_t size);
    bool skip_damage();

    const StoreFile& file_;
    const std::uint32_t seed_;
    const std::uint64_t end_;
    std::uint64_t next_, offset_, end_of_records_;
    std::uint64_t damaged_ = 0;
    std::string& buffer_;
    std::uint64_t buffer_at_ = 0; ///< the offset of its first byte
};

} // namespace sse
