// A file of the report.
#pragma once

#include "base/descriptor.hpp"

#include <string>
#include <string_view>

namespace cmd {

/// Opened before the run, so that no run is in vain.
class ReportFile {
public:
    /// "": none, and write() does nothing. Throws std::system_error.
    explicit ReportFile(std::string path);
    /// Throws std::system_error.
    void write(std::string_view text);

private:
    std::string path_;
    sse::Descriptor fd_;
};

} // namespace cmd
