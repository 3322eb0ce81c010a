// Where a command writes a recording: a file, or standard output.
#pragma once

#include "recording/writer.hpp"

#include <memory>
#include <string>

namespace cmd {

/// The writer of `path`, standard output if that is `-`. Throws sse::Error (io).
std::unique_ptr<sse::RecordingWriter> make_recording(const std::string& path,
                                                     sse::RecordingHeader header,
                                                     sse::RecordingWriterOptions options = {});

} // namespace cmd
