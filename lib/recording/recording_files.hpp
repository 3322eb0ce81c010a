// Lists the recordings in a directory by their file names. Does not read them.
#pragma once

#include <string>
#include <vector>

namespace sse {

/// The files under `directory`, at any depth, whose names end in `.jsonl`, `.ndjson`, `.sse` or
/// `.har`, with or without `.gz`, and do not begin with a dot, sorted by path. Throws Error: io if
/// the directory cannot be read, bad_input if it contains none.
std::vector<std::string> recordings_under(const std::string& directory);

/// Those of them that can be played as they are: not HAR files. There may be none.
std::vector<std::string> playable_recordings_under(const std::string& directory);

} // namespace sse
