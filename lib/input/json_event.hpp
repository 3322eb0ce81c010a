// One JSON object as an event: a line of `--input json`, or a published body.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The fields of an object. Views are valid until the reader's next read().
struct JsonEvent {
    EventView event; ///< its type is "" if the object has none
    bool has_data = false;
    std::optional<std::string_view> comment;
    std::optional<std::chrono::milliseconds> retry;
    std::optional<std::string_view> channel;
};

/// Reads `{"event","id","data","retry","comment","channel"}`: all may be absent, other keys are
/// ignored. Data that is not a string is its JSON text, without white space and else unchanged: a
/// number keeps its digits. An id may be a number. Keeps its memory from object to object; one
/// thread.
class JsonEventReader {
public:
    JsonEventReader();
    ~JsonEventReader();

    /// Throws Error (bad_input) with the reason if `given` is no such object. Takes linear time.
    JsonEvent read(std::string_view given);

private:
    struct Parsers;
    std::unique_ptr<Parsers> parsers_;
    std::string data_, id_;
};

} // namespace sse
