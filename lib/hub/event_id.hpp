// Generates ids for events that are published without one.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The numbers of a generated id. Within a channel, a greater one is of a later event.
struct EventId {
    std::uint64_t ms = 0, n = 0;
    auto operator<=>(const EventId&) const = default;
};

/// The numbers of an id of the form `<ms>-<n>`; nullopt for any other text.
std::optional<EventId> parse_event_id(std::string_view id);

/// The ms of an id of the form `<ms>-start`, the place before the first event of a channel; nullopt
/// for any other text.
std::optional<std::uint64_t> parse_start_id(std::string_view id);

/// Ids of the form `<unix ms>-<n>`, as in a Redis stream. They increase within a process even if
/// the clock is set back, and are unique across restarts unless it is. Not thread-safe.
class EventIds {
public:
    /// The next id. The view is valid until the next call.
    std::string_view next(std::chrono::system_clock::time_point now);
    /// Every id from now on is greater than `id`.
    void continue_after(EventId id);

private:
    void set_ms(std::int64_t ms);

    std::int64_t ms_ = -1;
    std::uint64_t n_ = 0;
    std::string text_;
    std::size_t prefix_ = 0; ///< of text_: "<unix ms>-"
};

} // namespace sse
