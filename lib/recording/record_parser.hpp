// Parses single lines of a recording from JSON. Knows no file and no order of lines.
#pragma once

#include "recording/record.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sse {

/// A line that sse-recording(5) does not allow. what() is the reason, without the place.
class BadLine : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Parses lines, and reuses its buffers. The 64 bytes after each line must be readable memory. One
/// thread at a time.
class RecordParser {
public:
    /// Highest `t` that is accepted: 31 years.
    static constexpr std::chrono::seconds max_t{1'000'000'000};

    RecordParser();
    ~RecordParser();
    RecordParser(RecordParser&&) noexcept;
    RecordParser& operator=(RecordParser&&) noexcept;

    /// Parses the first line. Throws BadLine, also for a newer version.
    RecordingHeader header(std::string_view line);
    /// Parses another line; the record is valid until the next call. nullptr if all keys are
    /// unknown, and the line is to be ignored. Throws BadLine.
    const Record* record(std::string_view line);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
