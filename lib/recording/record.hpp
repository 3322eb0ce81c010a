// The lines of a recording as values: sse-recording(5) in C++. No I/O, and no JSON.
#pragma once

#include "protocol/event.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sse {

/// The version of the format that is written, and the newest that is read.
inline constexpr int recording_version = 1;

/// Header fields in their order; names as they came.
using RecordedFields = std::vector<std::pair<std::string, std::string>>;

/// The request of the recorded stream. An empty method: not recorded.
struct RecordedRequest {
    std::string method;
    RecordedFields headers;
    std::optional<std::string> body; ///< only when asked for; any bytes
};

/// The head of its answer. Status 0: not recorded.
struct RecordedResponse {
    int status = 0;
    RecordedFields headers;
};

/// A recording's first line. What is not known is empty, and then not written.
struct RecordingHeader {
    int version = recording_version;
    std::string started; ///< RFC 3339, UTC, milliseconds: where `t` begins
    std::string tool;    ///< what wrote it, with its version
    std::string url;
    RecordedRequest request;
    RecordedResponse response;
};

/// A block that named an id and had no data: no event, but the last event ID changed.
struct RecordedId {
    std::string_view id;
};
/// All that followed the colon, the leading space included.
struct RecordedComment {
    std::string_view text;
};
struct RecordedRetry {
    std::chrono::milliseconds time;
};
/// A reconnection: the head of the new answer.
struct RecordedOpen {
    RecordedResponse response;
    std::string last_event_id; ///< what the client asked to go on after; "" for none
};
/// How a connection ended.
struct RecordedClose {
    std::string_view how; ///< eof, reset, timeout or error
    std::string_view message;
};
/// What one read gave, in byte mode: a piece of the body without transfer coding.
struct RecordedBytes {
    std::string_view bytes;
};

/// A line of a recording after its first. Views belong to whoever handed it out.
struct Record {
    std::chrono::microseconds t{0}; ///< since `started`; never less than the line before
    std::variant<EventView, RecordedId, RecordedComment, RecordedRetry, RecordedOpen, RecordedClose,
                 RecordedBytes>
        what;
};

} // namespace sse
