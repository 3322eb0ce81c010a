// sse replay --post: each event of a recording as a request, in time.
#pragma once

#include "cmd/replay/recordings.hpp"
#include "playback/playback.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cmd {

/// Posts what `options` play of `recordings` to `url`, with these header fields, and says what was
/// accepted. Returns the exit status. Throws Failure, sse::Error.
int post(Recordings& recordings, const sse::PlaybackOptions& options, const std::string& url,
         const std::vector<std::pair<std::string, std::string>>& headers);

} // namespace cmd
