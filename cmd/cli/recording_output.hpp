// Opens the destination of a recording: a file or standard output.
#pragma once

#include "recording/writer.hpp"

#include <memory>
#include <string>

namespace cmd {

/// A writer for the file `path`, or for standard output if `path` is `-`. Throws sse::Error (io).
std::unique_ptr<sse::RecordingWriter> make_recording(const std::string& path,
                                                     sse::RecordingHeader header,
                                                     sse::RecordingWriterOptions options = {});

} // namespace cmd
