// Reads a recording as a sequence of records, regardless of the format of the file. Does not wait
// for the times in it.
#pragma once

#include "base/time_budget.hpp"
#include "protocol/parser.hpp"
#include "protocol/stream_format.hpp"
#include "recording/input.hpp"
#include "recording/record.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

struct RecordingReaderOptions {
    /// Maximum size of a line in bytes, which bounds the memory for a broken file. An event of 16
    /// MiB fits unless it consists mostly of control characters, which JSON escapes with six bytes.
    std::size_t max_line_bytes = 64 * 1024 * 1024;
    /// Bytes read at a time; a reader needs little more memory than this.
    std::size_t buffer_bytes = 64 * 1024;
    /// True while the file is still being written: an incomplete end is then read again later, and
    /// not reported. Null: the file is complete.
    std::shared_ptr<const std::atomic<bool>> growing;

    /// Waits until a pipe has data; false ends the recording there. Empty: waits without a limit.
    std::function<bool(int fd)> wait;

    /// Names of files in messages, by path, if different from the path.
    std::shared_ptr<const std::map<std::string, std::string>> names;

    bool grows() const { return growing && growing->load(); }
};

/// The place of a record in a recording.
struct RecordingPlace {
    std::uint64_t offset = 0;       ///< of the first byte of its line, in the decompressed text
    std::uint64_t line = 0;         ///< number of that line, from 1; 0: unknown
    std::chrono::microseconds t{0}; ///< of that line; no later line has a lower one
    std::uint32_t skip = 0;         ///< records that begin there and precede this one

    bool before(const RecordingPlace& other) const {
        return offset != other.offset ? offset < other.offset : skip < other.skip;
    }
};

/// Reads one recording in order. Owns the file. One thread at a time.
class RecordReader {
public:
    virtual ~RecordReader() = default;
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;

    const RecordingHeader& header() const { return header_; }
    /// The next record, valid until the next call; nullptr at the end (of a growing file: the end
    /// so far). An incomplete end, left by a crash, is skipped and reported by warning(). Throws
    /// Error: bad_input and too_large with `file:line: reason`; io.
    const Record* next() {
        TimeBudget unlimited(TimeBudget::Clock::time_point::max());
        return next(unlimited);
    }
    /// The same, but nullptr with paused() if `budget` is used up first; the next call continues.
    virtual const Record* next(TimeBudget& budget) = 0;
    /// True if next() stopped because of its time budget.
    bool paused() const { return paused_; }
    /// Place of the record that next() returned last.
    const RecordingPlace& place() const { return place_; }
    /// Continues with the record at `place`, a result of place(). Throws Error (io) for a pipe.
    virtual void seek(const RecordingPlace& place) = 0;
    /// Continues with the first record. Throws Error (io) for a pipe.
    virtual void rewind() = 0;
    /// Continues at some place before the first record for which `reached` is true, or at the
    /// start. `reached` must be true for all records after that one; nullopt means that it cannot
    /// tell from this record. Uses a binary search if the file has random access. Throws as next().
    using Reached = std::function<std::optional<bool>(const Record&)>;
    virtual void seek_before(const Reached& reached);
    /// Allows next() to skip events without this ID, if skipping them is faster.
    virtual void only_with_id(const std::string& /*id*/) {}
    /// `file:line: reason` if an incomplete end was skipped; otherwise "".
    const std::string& warning() const { return warning_; }
    const RecordingInput& input() const { return *input_; }
    /// The format of the recorded stream, by its content type.
    StreamFormat stream_format() const;
    /// Name of the file format, for people.
    virtual std::string_view format_name() const = 0;

    /// Number of irregularities by type, in event-stream text.
    using WarningCounts = std::array<std::uint64_t, parse_warning_count>;
    const WarningCounts& warnings() const { return warnings_; }

protected:
    RecordReader(std::unique_ptr<RecordingInput> input, RecordingReaderOptions options)
        : options_(std::move(options))
        , input_(std::move(input)) {}

    /// Throws Error (bad_input) if the file became shorter than the part already read.
    void check_length(std::uint64_t read, const std::string& where) const;

    RecordingReaderOptions options_;
    std::unique_ptr<RecordingInput> input_;
    RecordingHeader header_;
    RecordingPlace place_;
    std::string warning_;
    WarningCounts warnings_{};
    bool paused_ = false;
};

/// The start of `input`, long enough to detect its format. Waits no longer for a pipe.
std::string_view start_of(RecordingInput& input);

/// Opens `input`, at its start, in the format that its first bytes show: a recording
/// (sse-recording(5)), event-stream text, JSON lines, a JSON text sequence, or one of these texts
/// after a response head, as printed by `curl -i`. Throws Error: bad_input for any other format;
/// and as the readers do.
std::unique_ptr<RecordReader> open_recording(std::unique_ptr<RecordingInput> input,
                                             RecordingReaderOptions options = {});
/// The same for a path; `-` is standard input.
std::unique_ptr<RecordReader> open_recording(const std::string& path,
                                             RecordingReaderOptions options = {});

} // namespace sse
