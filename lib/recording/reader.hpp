// Reads a recording, sse-recording(5), as a stream of records. Not a clock: waits for nothing.
#pragma once

#include "recording/line_reader.hpp"
#include "recording/record.hpp"
#include "recording/record_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace sse {

struct RecordingReaderOptions {
    /// Bytes of a line: what a broken file can make us keep. An event of 16 MiB fits, however its
    /// data is escaped, unless it is mostly control characters.
    std::size_t max_line_bytes = 64 * 1024 * 1024;
    /// Bytes read at a time. A reader needs little more than this.
    std::size_t buffer_bytes = 64 * 1024;
    /// The file is still being written: an unfinished last line is read again later, not reported.
    bool growing = false;
};

/// A place in a recording to go on at.
struct RecordingPlace {
    std::uint64_t offset = 0;       ///< in the text (gunzipped), of a line's first byte
    std::uint64_t line = 0;         ///< that line's number, from 1
    std::chrono::microseconds t{0}; ///< of that line; no later line has less
};

/// Reads one recording in order, in memory bounded by its longest line. One thread at a time.
class RecordingReader {
public:
    /// Opens `path` (`-` is stdin) and reads its first line. Throws Error: io, and bad_input or
    /// too_large with `file:line: why`, as next() does.
    explicit RecordingReader(std::string path, RecordingReaderOptions options = {});

    const RecordingHeader& header() const { return header_; }
    /// The next record, valid until the next call; nullptr at the end. A last line that a crash
    /// tore is skipped, and told by warning(). Throws Error: bad_input, too_large, io.
    const Record* next();
    /// Where the record that next() gave last begins.
    const RecordingPlace& place() const { return place_; }
    /// Goes on with the record at `place`, which came from place(). Throws Error (io) for a pipe.
    void seek(const RecordingPlace& place);
    /// Goes back to the first record. Throws Error (io) for a pipe.
    void rewind();
    /// `file:line: why` for a torn last line that was skipped; else "".
    const std::string& warning() const { return warning_; }
    const RecordingInput& input() const { return lines_.input(); }

private:
    [[noreturn]] void fail(std::uint64_t line, const std::string& why) const;
    const Record* take(const RecordingLine& line);

    RecordingReaderOptions options_;
    LineReader lines_;
    RecordParser parser_;
    RecordingHeader header_;
    RecordingPlace place_;
    std::uint64_t records_at_ = 0; ///< where the second line begins
    std::string warning_;
};

} // namespace sse
