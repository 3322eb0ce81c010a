// Generates ids for events that are published without one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// Ids of the form `<unix ms>-<n>`, as in a Redis stream. They increase within a process even if
/// the clock is set back, and are unique across restarts unless it is. Not thread-safe.
class EventIds {
public:
    /// The next id. The view is valid until the next call.
    std::string_view next(std::chrono::system_clock::time_point now);

private:
    std::int64_t ms_ = -1;
    std::uint64_t n_ = 0;
    std::string text_;
    std::size_t prefix_ = 0; ///< of text_: "<unix ms>-"
};

} // namespace sse
