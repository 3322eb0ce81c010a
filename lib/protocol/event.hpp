// One event, as a view and as an owner of its bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The largest value of max_event_bytes in any options: offsets in a Batch are 32 bits wide, and an
/// event that consists of line ends grows sevenfold when it is encoded.
inline constexpr std::size_t most_event_bytes = std::size_t{512} * 1024 * 1024;

/// One event as its block of the stream defines it. State that outlives a block (the last event ID,
/// the reconnection time) belongs to the receiver. Views into the bytes being fed: valid until the
/// sink returns.
struct EventView {
    std::string_view type = "message";  ///< never empty
    std::string_view data;              ///< lines joined by LF, valid UTF-8 from a Parser
    std::optional<std::string_view> id; ///< nullopt: the block has no `id`; "" resets it
};

/// The same with its own bytes.
struct Event {
    std::string type = "message";
    std::string data;
    std::optional<std::string> id;

    Event() = default;
    explicit Event(const EventView& view)
        : type(view.type)
        , data(view.data)
        , id(view.id) {}
    EventView view() const {
        return {type, data, id ? std::optional<std::string_view>(*id) : std::nullopt};
    }
    friend bool operator==(const Event&, const Event&) = default;
};

} // namespace sse
