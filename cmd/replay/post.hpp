// sse replay --post: sends each event of a recording as a POST request, when it is due.
#pragma once

#include "cmd/replay/recordings.hpp"
#include "playback/playback.hpp"

#include <string>
#include <utility>
#include <vector>

namespace cmd {

/// Posts the events of `recordings` that `options` select to `url`, with these header fields, and
/// prints how many were accepted. Returns the exit status. Throws Failure, sse::Error.
int post(Recordings& recordings, const sse::PlaybackOptions& options, const std::string& url,
         const std::vector<std::pair<std::string, std::string>>& headers);

} // namespace cmd
