// Exports the events of a store as recordings. Only reads, so a server may use the store meanwhile.
#pragma once

#include "recording/writer.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sse {

/// True for a directory with the files of a store.
bool is_store(const std::string& directory);

/// Writes the events of each channel to a recording of its own, which `make` creates, in the order
/// in which the channels first occur. `t` is the time at which an event was stored, since the first
/// event of its channel. Damaged records are skipped, and `warn` is called with a line that names
/// the file. Throws Error: bad_input if there is no event, or for a store of a newer version; io.
void export_store(const std::string& directory,
                  const std::function<std::unique_ptr<RecordingWriter>(RecordingHeader)>& make,
                  const std::function<void(const std::string&)>& warn);

} // namespace sse
