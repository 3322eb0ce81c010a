// The recordings in a directory, listed by their file names, and those of them that hold nothing.
#pragma once

#include <string>
#include <vector>

namespace sse {

/// The files under `directory`, at any depth, whose names end in `.jsonl`, `.ndjson`, `.sse` or
/// `.har`, with or without `.gz`, and do not begin with a dot, sorted by path. Throws Error: io if
/// the directory cannot be read, bad_input if it contains none.
std::vector<std::string> recordings_under(const std::string& directory);

/// True if `file` is empty, or a recording with only a part of its first line, because its writer
/// was killed. Any other file holds something, readable or not.
bool is_unbegun_recording(const std::string& file);

/// Those of recordings_under() that can be played as they are: not HAR files. There may be none.
std::vector<std::string> playable_recordings_under(const std::string& directory);

} // namespace sse
