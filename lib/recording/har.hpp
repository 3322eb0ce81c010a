// Reads HAR files (HTTP Archive 1.2), as exported by browsers, into recordings. Entries other than
// event streams are ignored. Not the way back: HarText.
#pragma once

#include "recording/input.hpp"
#include "recording/writer.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

struct HarOptions {
    /// Maximum size of a file in bytes. A file is read into memory, since JSON members have no
    /// order.
    std::size_t max_bytes = 512 * 1024 * 1024;
    /// Called with `file: entry N: reason` for data that was skipped or is damaged.
    std::function<void(const std::string&)> warn = [](const std::string&) {};
};

/// True if this start of a file is that of a HAR file.
bool is_har(std::string_view start);

/// Writes each stream of events in `input` to a recording of its own, which `make` gives. Events
/// come from `_eventSourceMessages` (Chrome), with their times, or else from a text/event-stream
/// body, all at time 0. Throws Error: bad_input with the file's name if it is no HAR file or has no
/// stream of events, too_large, io.
void read_har(RecordingInput& input,
              const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
              const HarOptions& options = {});

} // namespace sse
