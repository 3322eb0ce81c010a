// The lines of a recording, sse-recording(5), as C++ values. No I/O, no JSON.
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

/// The version of the format that is written, and the highest that can be read.
inline constexpr int recording_version = 1;

/// Header fields in order, with names as received.
using RecordedFields = std::vector<std::pair<std::string, std::string>>;

/// The request of the recorded stream; not recorded if the method is empty.
struct RecordedRequest {
    std::string method;
    RecordedFields headers;
    std::optional<std::string> body; ///< recorded only on request; any bytes
    /// Path and query that the client asked for, if a proxy put a base path before them; "": those
    /// of the URL.
    std::string target = {};
};

/// The head of the response; not recorded if the status is 0.
struct RecordedResponse {
    int status = 0;
    RecordedFields headers;
};

/// The first line of a recording. Empty members are unknown, and not written.
struct RecordingHeader {
    int version = recording_version;
    std::string started; ///< time at which `t` is 0: RFC 3339, UTC, milliseconds
    std::string tool;    ///< name and version of the writer
    std::string url;
    /// Only a request whose query and body equal the recorded ones is given this recording.
    bool exact = false;
    RecordedRequest request;
    RecordedResponse response;
};

/// A block with an ID and no data: not an event, but it sets the last event ID.
struct RecordedId {
    std::string_view id;
};
/// All text after the colon, including a leading space.
struct RecordedComment {
    std::string_view text;
};
struct RecordedRetry {
    std::chrono::milliseconds time;
};
/// A reconnection: the head of the new response.
struct RecordedOpen {
    RecordedResponse response;
    std::string last_event_id; ///< Last-Event-ID of the request; "": none
};
/// How a connection ended.
struct RecordedClose {
    std::string_view how; ///< eof, reset, timeout or error
    std::string_view message;
};
/// Bytes returned by one read of the body, without transfer coding (`--bytes`).
struct RecordedBytes {
    std::string_view bytes;
};

/// A line of a recording after the first. Its views belong to the reader that returned it.
struct Record {
    std::chrono::microseconds t{0}; ///< since `started`; never lower than in the line before
    std::variant<EventView, RecordedId, RecordedComment, RecordedRetry, RecordedOpen, RecordedClose,
                 RecordedBytes>
        what;
};

} // namespace sse
