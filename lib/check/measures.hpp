// Measurements that several checks derive from the observations.
#pragma once

#include "check/observation.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sse::checks {

/// Bytes that arrived together, with pauses of less than `burst_gap` seconds between them.
struct Burst {
    Time first = 0, last = 0;
    std::uint64_t bytes = 0;
    std::size_t events = 0, comments = 0;
    bool inside_event = false; ///< it ends within an event
};
inline constexpr Time burst_gap = 0.03;
std::vector<Burst> bursts_of(const Exchange& seen);

/// The silence before burst `index`: since the previous burst, or since the head.
Time silence_before(const Exchange& seen, const std::vector<Burst>& bursts, std::size_t index);

/// The longest time without a byte, from the head to the end.
Time longest_silence(const Exchange& seen);

/// The sizes of the chunks of the body, each with the time at which it ended.
struct Chunk {
    Time at = 0;
    std::uint64_t bytes = 0;
};
std::vector<Chunk> chunks_of(const Exchange& seen);

/// A text that identifies an event on several connections, made from its contents and its ID, if
/// any.
std::string key_of(const SeenEvent& event);

/// The same event on two connections.
struct Pair {
    std::size_t first = 0, second = 0; ///< indices
};
/// The events that each of the two received exactly once, in the order of `a`.
std::vector<Pair> matches(const Exchange& a, const Exchange& b);

/// Seconds for people: `1.25s`, `310ms`.
std::string shown_seconds(Time seconds);
/// `1 event`, `3 events`.
std::string counted(std::uint64_t number, const char* singular);

/// The age of the Date field when the head arrived, in seconds; nullopt without one.
std::optional<double> date_age(const Exchange& seen);

} // namespace sse::checks
