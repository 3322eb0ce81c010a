// One line of a recording from JSON to values. Knows no file and no order of lines.
#pragma once

#include "recording/record.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sse {

/// Why a line is not what sse-recording(5) says, without where.
class BadLine : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Parses lines; keeps buffers between them. The bytes given must have 64 more behind them that may
/// be read. One thread at a time.
class RecordParser {
public:
    /// `t` above this (31 years) is refused.
    static constexpr std::chrono::seconds max_t{1'000'000'000};

    RecordParser();
    ~RecordParser();
    RecordParser(RecordParser&&) noexcept;
    RecordParser& operator=(RecordParser&&) noexcept;

    /// The first line. Throws BadLine where it is not one, or of a newer version.
    RecordingHeader header(std::string_view line);
    /// Another line, valid until the next call; nullptr where all its keys are unknown (to be
    /// ignored). Throws BadLine.
    const Record* record(std::string_view line);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace sse
