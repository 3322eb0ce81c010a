// The formats that a stream of events can have on the wire, by media type.
#pragma once

#include <cstdint>
#include <string_view>

namespace sse {

enum class StreamFormat : std::uint8_t {
    event_stream, ///< text/event-stream (HTML 9.2.5)
    json_lines,   ///< one JSON text per line, such as application/x-ndjson
    json_seq,     ///< JSON text sequence, application/json-seq (RFC 7464)
};

/// The format that `content_type` names; event_stream for any other type. Ignores parameters and
/// case.
StreamFormat stream_format(std::string_view content_type);

} // namespace sse
