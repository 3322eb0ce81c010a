// Where to go on after an id, in a recording of any size.
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

/// Where a playing goes on: after the record at `place`, in that lap.
struct PlaybackPosition {
    RecordingPlace place;
    std::uint64_t lap = 1;
};

/// An id as it was given out: with `laps` other than 1, `ID@LAP` is that of a later lap.
struct LappedId {
    std::string id;
    std::uint64_t lap = 1;
};
std::optional<LappedId> in_lap(std::string_view id, std::uint64_t laps);

/// The id that a record sets, if it sets one.
std::optional<std::string_view> id_of(const Record& record);

/// Looks for the last record that set the last event id to an id, blanks around it aside, in
/// slices, so that a loop can do other things meanwhile. In a large recording it first tries by
/// halves whether the ids are in order, as counters and times are; it takes a record that is found
/// so for the only one.
class IdSearch {
public:
    /// Recordings of fewer bytes are read through.
    static constexpr std::uint64_t large = 16 * 1024 * 1024;

    IdSearch(const std::string& path, std::string_view id, std::uint64_t laps,
             const RecordingReaderOptions& options);
    /// Reads on until `until`; true when it is known. Throws as RecordReader::next() does.
    bool step(std::chrono::steady_clock::time_point until);
    /// After step() was true: the place of that record; nullopt if the id does not occur.
    const std::optional<PlaybackPosition>& found() const { return found_; }

private:
    enum class Reading { found, not_there, not_yet };
    bool halve(const std::string& id);
    Reading read_in_order(const LappedId& wanted, TimeBudget& slice);

    std::unique_ptr<RecordReader> reader_;
    std::string id_;
    std::optional<LappedId> later_;
    std::optional<PlaybackPosition> found_;
    std::deque<LappedId> in_order_; ///< to be looked for so, as long as nothing speaks against it
    bool halved_ = false;           ///< the reader is before the first of them
    bool reading_all_ = false;
};

} // namespace sse
