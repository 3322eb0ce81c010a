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
public:
    explicit BadLine(const std::string& reason, bool newer = false)
        : std::runtime_error(reason)
        , newer_(newer) {}
    /// The line is of a newer version of the format.
    bool newer() const { return newer_; }

private:
    bool newer_;
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
    /// True if `line` is a JSON object but no line of a recording: it has neither the key `sse` of
    /// a first line, nor `t` and a key that determines the type of a record.
    bool is_other_json(std::string_view line);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
