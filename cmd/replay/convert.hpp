// sse replay --to and --info: converts or summarizes recordings instead of playing them.
#pragma once

#include "cmd/replay/recordings.hpp"
#include "playback/playback.hpp"

#include <cstdint>
#include <string>

namespace cmd {

enum class RecordingFormat : std::uint8_t {
    jsonl, ///< sse-recording(5)
    sse,   ///< event-stream text
    har,   ///< HTTP Archive
    curl,  ///< what curl -i prints
};

/// Writes the part of `recordings` that `options` select to standard output, in this format, with
/// the times of the playback; or with `directory` each of them to a file of its own in it, jsonl,
/// which sse record would name so. Returns the exit status. Throws Failure, sse::Error.
int convert(Recordings& recordings, const sse::PlaybackOptions& options, RecordingFormat format,
            const std::string& directory);

/// Prints a summary of each recording to standard output. Throws sse::Error.
int print_info(Recordings& recordings, const sse::RecordingReaderOptions& options);

} // namespace cmd
