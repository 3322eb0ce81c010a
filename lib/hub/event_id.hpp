// The ids that a channel gives to events that come without one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

/// Gives `<unix ms>-<n>`, as the entries of a Redis stream have: sortable, and unique over restarts
/// as long as the clock does not run backwards over one; within a process it never goes back, even
/// when the clock does. One thread at a time.
class EventIds {
public:
    /// The next id. Valid until the next call.
    std::string_view next(std::chrono::system_clock::time_point now);

private:
    std::int64_t ms_ = -1;
    std::uint64_t n_ = 0;
    std::string text_;
    std::size_t prefix_ = 0; ///< of text_: "<unix ms>-"
};

} // namespace sse
