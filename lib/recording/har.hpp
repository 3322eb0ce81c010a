// Converts HAR files (HTTP Archive 1.2), as exported by browsers, from and to recordings. Entries
// other than event streams are ignored.
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
    /// Called with `file: entry N: reason` for data that was skipped.
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

/// Writes a HAR file as text, one stream after the other. Events only: HAR cannot represent
/// comments, reconnection times and bytes. One thread at a time.
class HarText {
public:
    /// Appends to `out`, which must outlive it and may be cleared between calls. Masks secrets as
    /// RecordingWriter does.
    explicit HarText(std::string& out);
    void begin(const RecordingHeader& header);
    /// `t` is since RecordingHeader::started.
    void event(std::chrono::microseconds t, const EventView& event);
    /// The stream's last record was at `t`.
    void end(std::chrono::microseconds t);
    /// Call after the last stream.
    void finish();

private:
    std::string& out_;
    RecordingHeader header_;
    std::chrono::microseconds start_{0}; ///< since 1970
    std::uint64_t bytes_ = 0;            ///< of data
    bool any_stream_ = false, any_event_ = false;
};

} // namespace sse
