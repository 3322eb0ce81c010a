// One file of a store with events: a head, then records. The names of the files, their heads, and
// reading them in order; not what is where in them, which a SegmentIndex knows.
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
/// The number of the segment with that name; nullopt: it is not that of a segment.
std::optional<std::uint64_t> segment_number(const std::string& name);

/// The first bytes of a segment.
struct SegmentHead {
    std::uint64_t magic = expected_magic;
    std::uint32_t version = 1;
    std::uint32_t seed = 0; ///< random, so that no data of an event passes for a record
    std::uint64_t number = 0;
    std::uint64_t created = 0; ///< ms since 1970

    static constexpr std::uint64_t expected_magic = 0x65'726F'7473'6573'73; // "ssestore"
};
static_assert(sizeof(SegmentHead) == 32);

/// nullopt if the file has no such head. Throws std::system_error, and Error (bad_input) for a
/// version that is not known here.
std::optional<SegmentHead> read_segment_head(const StoreFile& file, const std::string& path);

/// Reads the records of a segment in order. One thread.
class SegmentScanner {
public:
    /// Reads [begin, end) of `file`, which must outlive it. `seed`: of the segment's head.
    SegmentScanner(const StoreFile& file, std::uint32_t seed, std::uint64_t begin,
                   std::uint64_t end);

    /// The next whole record, valid until the next call, and its offset; skips what is damaged.
    /// nullopt at the end. With `channel`, skips the records of other channels unchecked.
    std::optional<RecordView> next(std::optional<std::string_view> channel = std::nullopt);
    std::uint64_t offset() const { return offset_; } ///< of the record returned last
    /// Continues at `offset`, the start of a record.
    void seek(std::uint64_t offset) { next_ = offset; }
    /// The end of the last record that was returned or skipped as another channel's.
    std::uint64_t end_of_records() const { return end_of_records_; }
    /// Damaged places, each with a whole record behind it.
    std::uint64_t damaged() const { return damaged_; }

private:
    /// At least `size` bytes at next_; fewer at the end.
    std::string_view bytes(std::size_t size);
    bool skip_damage();

    const StoreFile& file_;
    const std::uint32_t seed_;
    const std::uint64_t end_;
    std::uint64_t next_, offset_, end_of_records_;
    std::uint64_t damaged_ = 0;
    std::string buffer_;
    std::uint64_t buffer_at_ = 0; ///< the offset of its first byte
};

} // namespace sse
