// A file that the report is written to.
#pragma once

#include "base/descriptor.hpp"

#include <string>
#include <string_view>

namespace cmd {

/// Opened before the run, so that an unusable path is reported before the run and not after it.
class ReportFile {
public:
    /// `path`: "" for no file; then write() does nothing. Throws std::system_error.
    explicit ReportFile(std::string path);
    /// Throws std::system_error.
    void write(std::string_view text);

private:
    std::string path_;
    sse::Descriptor fd_;
};

} // namespace cmd
