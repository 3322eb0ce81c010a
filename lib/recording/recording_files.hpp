// Which files of a directory are recordings, by their names. Reads none of them.
#pragma once

#include <string>
#include <vector>

namespace sse {

/// The files under `directory`, at any depth, whose names end in `.jsonl`, `.sse` or `.har`, with
/// or without `.gz`, and do not begin with a dot, sorted by path. Throws Error: io where it cannot
/// be read, bad_input where there is none.
std::vector<std::string> recordings_under(const std::string& directory);

} // namespace sse
