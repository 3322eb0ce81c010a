// Finds the position of an event ID in a recording of any size.
#pragma once

#include "base/time_budget.hpp"
#include "recording/record_reader.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// Where a playback resumes: after the record at `place`, in this lap.
struct PlaybackPosition {
    RecordingPlace place;
    std::uint64_t lap = 1; ///< from 1
};

/// An event ID as clients receive it: from the second lap on, it ends in `@LAP`.
struct LappedId {
    std::string id; ///< as recorded, without `@LAP`
    std::uint64_t lap = 1;
};
/// Splits `ID@LAP`; nullopt if `id` has no such suffix, or its lap is not one of `laps` (0: any).
std::optional<LappedId> parse_lapped_id(std::string_view id, std::uint64_t laps);

/// The last event ID that a record sets; nullopt if it sets none.
std::optional<std::string_view> id_of(const Record& record);

/// Searches for the last record that sets the last event ID to a given ID, ignoring blanks around
/// it. Runs in steps of limited time, so that an event loop can do other work in between. In a
/// large recording it first tries a binary search, which succeeds if the IDs are in ascending
/// order, as counters and times are. One thread at a time.
class IdSearch {
public:
    /// Size in bytes from which on a binary search is tried.
    static constexpr std::uint64_t large = 16 * 1024 * 1024;

    IdSearch(const std::string& path, std::string_view id, std::uint64_t laps,
             const RecordingReaderOptions& options);
    /// Continues until the search is complete or `until` has passed. Returns true if it is
    /// complete. Throws as RecordReader::next().
    bool step(std::chrono::steady_clock::time_point until);
    /// The result of a complete search; nullopt if the recording does not contain the ID.
    const std::optional<PlaybackPosition>& found() const { return found_; }

private:
    enum class Result { found, not_there, not_yet };
    bool seek_by_halves(const std::string& id);
    Result read_in_order(const LappedId& wanted, TimeBudget& budget);

    std::unique_ptr<RecordReader> reader_;
    std::string id_;
    std::optional<LappedId> later_; ///< `id_` as the ID of a later lap
    std::optional<PlaybackPosition> found_;
    std::deque<LappedId> in_order_; ///< candidates of the binary search
    bool at_candidate_ = false;     ///< the reader is before in_order_.front()
    bool reading_all_ = false;
};

} // namespace sse
