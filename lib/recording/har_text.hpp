// Writes recorded streams as a HAR file (HTTP Archive 1.2), which the network panel of a browser
// can import. Not a reader: read_har().
#pragma once

#include "protocol/event.hpp"
#include "recording/record.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace sse {

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
