// Opening and reading files that the command line names.
#pragma once

#include <functional>
#include <string>

namespace sse {

/// Opens a file for reading: a descriptor, which the caller owns, or -1 with errno. Never waits for
/// the writer of a FIFO. An empty function stands for open_for_reading().
using OpenFile = std::function<int(const std::string& path)>;

int open_for_reading(const std::string& path);

/// The contents of `path`. Throws std::system_error (`cannot read WHAT PATH: ...`), also if it has
/// more than `max_bytes`.
std::string read_file(const std::string& path, const std::string& what, const OpenFile& open = {},
                      std::size_t max_bytes = 16 * 1024 * 1024);

} // namespace sse
