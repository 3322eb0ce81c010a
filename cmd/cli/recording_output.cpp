#include "cmd/cli/recording_output.hpp"

#include <unistd.h>
#include <utility>

namespace cmd {

std::unique_ptr<sse::RecordingWriter> make_recording(const std::string& path,
                                                     sse::RecordingHeader header,
                                                     sse::RecordingWriterOptions options) {
    if (path != "-")
        return std::make_unique<sse::RecordingWriter>(path, std::move(header), options);
    return std::make_unique<sse::RecordingWriter>(::dup(STDOUT_FILENO), "stdout", std::move(header),
                                                  options);
}

} // namespace cmd
