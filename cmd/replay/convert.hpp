// sse replay --to and --info: a recording as another file, or in numbers, instead of a playing.
#pragma once

#include "cmd/replay/recordings.hpp"
#include "playback/playback.hpp"

#include <cstdint>

namespace cmd {

enum class RecordingForm : std::uint8_t {
    jsonl, ///< sse-recording(5)
    sse,   ///< event-stream text
    har,   ///< HTTP Archive
    curl,  ///< what curl -i prints
};

/// Writes what `options` play of `recordings` to standard output, in that form, with the times at
/// which it would be played. Returns the exit status. Throws Failure, sse::Error.
int convert(Recordings& recordings, const sse::PlaybackOptions& options, RecordingForm form);

/// Says on standard output what is in each of them. Throws sse::Error.
int inform(Recordings& recordings, const sse::RecordingReaderOptions& options);

} // namespace cmd
