// HAR files (HTTP Archive 1.2), as browsers export them, from and to recordings. Of all that is in
// them, only streams of events.
#pragma once

#include "recording/input.hpp"
#include "recording/writer.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

namespace sse {

struct HarOptions {
    /// Bytes of a file: it is read as a whole, since JSON has its members in any order.
    std::size_t max_bytes = 512 * 1024 * 1024;
};

/// True if a file that begins like this is one.
bool is_har(std::string_view start);

/// Writes each stream of events in `input` to a recording of its own, which `make` gives. Events
/// come from `_eventSourceMessages` (Chrome), with their times, or else from a text/event-stream
/// body, all at time 0. Throws Error: bad_input with the file's name if it is no HAR file or has no
/// stream of events, too_large, io.
void read_har(RecordingInput& input,
              const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
              const HarOptions& options = {});

} // namespace sse
