// A summary of a recording in numbers.
#pragma once

#include "recording/record_reader.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace sse {

/// Distribution of numbers, with a precision of about 6%, in a fixed amount of memory.
class Distribution {
public:
    void add(std::uint64_t value);
    std::uint64_t count() const { return count_; }
    std::uint64_t largest() const { return largest_; }
    std::uint64_t sum() const { return sum_; }
    /// The value that a share of the numbers (0 to 1) does not exceed; 0 if there are none.
    std::uint64_t quantile(double share) const;

private:
    std::array<std::uint64_t, 64 * 16> counts_{};
    std::uint64_t count_ = 0, largest_ = 0, sum_ = 0;
};

struct RecordingSummary {
    /// Further types are counted together, under "".
    static constexpr std::size_t max_types = 1'000;

    std::map<std::string, std::uint64_t> types; ///< events of each
    Distribution data;                          ///< bytes of an event's data
    Distribution gaps;                          ///< microseconds between an event and the next
    std::chrono::microseconds longest_gap_at{0};
    std::chrono::microseconds first{0}, last{0}; ///< t of the first and the last record
    std::uint64_t records = 0, events = 0;
    std::uint64_t with_id = 0; ///< events with an ID field
    std::uint64_t same_id = 0; ///< of these, with the same ID as the event before
    std::uint64_t comments = 0, retries = 0, bare_ids = 0;
    std::uint64_t reads = 0, read_bytes = 0; ///< only in a recording of reads
    std::uint64_t reconnects = 0;
    std::uint64_t resumed = 0;                   ///< of these, with a last event ID
    std::map<std::string, std::uint64_t> closes; ///< ends of connections, by type
    RecordReader::WarningCounts warnings{};
    bool closed = false; ///< the last record is the end of a connection
};

/// Reads `reader` to its end. Throws Error as next() does.
RecordingSummary summarize(RecordReader& reader);

} // namespace sse
