// A recording as a stream of records, whatever form its file has. Not a clock: waits for nothing.
#pragma once

#include "protocol/parser.hpp"
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
    /// Bytes of a line: what a broken file can make us keep. An event of 16 MiB fits, however its
    /// data is escaped, unless it is mostly control characters.
    std::size_t max_line_bytes = 64 * 1024 * 1024;
    /// Bytes read at a time. A reader needs little more than this.
    std::size_t buffer_bytes = 64 * 1024;
    /// While this is true the file is still being written: an unfinished end is read again later,
    /// not reported. Null: it is not.
    std::shared_ptr<const std::atomic<bool>> growing;

    /// Waits until there is more to read of a pipe; false: to be read no more, as at its end.
    /// Empty: for as long as it takes.
    std::function<bool(int fd)> wait;

    /// What people call files, by their paths, where it is not that.
    std::shared_ptr<const std::map<std::string, std::string>> names;

    bool grows() const { return growing && growing->load(); }
};

/// A place in a recording to go on at.
struct RecordingPlace {
    std::uint64_t offset = 0;       ///< in the text (gunzipped), of a line's first byte
    std::uint64_t line = 0;         ///< that line's number, from 1; 0: not known
    std::chrono::microseconds t{0}; ///< of that line; no later line has less
    std::uint32_t skip = 0;         ///< records that begin there and come before the one meant

    bool before(const RecordingPlace& other) const {
        return offset != other.offset ? offset < other.offset : skip < other.skip;
    }
};

/// Reads one recording in order. Owns its file; one thread at a time.
class RecordReader {
public:
    virtual ~RecordReader() = default;
    RecordReader(const RecordReader&) = delete;
    RecordReader& operator=(const RecordReader&) = delete;

    const RecordingHeader& header() const { return header_; }
    /// The next record, valid until the next call; nullptr at the end (for a growing file: for
    /// now). What a crash left unfinished at the end is skipped, and told by warning(). Throws
    /// Error: bad_input and too_large with `file:line: why`; io.
    virtual const Record* next() = 0;
    /// Where the record that next() gave last begins.
    const RecordingPlace& place() const { return place_; }
    /// Goes on with the record at `place`, which came from place(). Throws Error (io) for a pipe.
    virtual void seek(const RecordingPlace& place) = 0;
    /// Goes back to the first record. Throws Error (io) for a pipe.
    virtual void rewind() = 0;
    /// Goes on somewhere before the first record for which `reached` is true, or at the start. It
    /// must be true of all that follow that record; nullopt: this record does not tell. By halves
    /// where the file lets it: a few reads, however large it is. Throws as next() does.
    using Reached = std::function<std::optional<bool>(const Record&)>;
    virtual void seek_before(const Reached& reached);
    /// next() need not give events without this id, where leaving them out is quicker.
    virtual void only_with_id(const std::string& /*id*/) {}
    /// `file:line: why` for an unfinished end that was skipped; else "".
    const std::string& warning() const { return warning_; }
    const RecordingInput& input() const { return *input_; }
    /// The form of its file, for people.
    virtual std::string_view form() const = 0;

    /// How often the text, where it is event-stream text, had what a parser must ignore.
    using OddityCounts = std::array<std::uint64_t, 5>;
    const OddityCounts& warnings() const { return warnings_; }

protected:
    RecordReader(std::unique_ptr<RecordingInput> input, RecordingReaderOptions options)
        : options_(std::move(options))
        , input_(std::move(input)) {}

    /// Throws if the file is now shorter than what was read of it.
    void check_length(std::uint64_t read, const std::string& where) const;

    RecordingReaderOptions options_;
    std::unique_ptr<RecordingInput> input_;
    RecordingHeader header_;
    RecordingPlace place_;
    std::string warning_;
    OddityCounts warnings_{};
};

/// As much of the start of `input` as shows what form it has. A pipe is not waited for longer.
std::string_view start_of(RecordingInput& input);

/// Opens `input`, at its start, in the form that its first bytes show: a recording
/// (sse-recording(5)), event-stream text, or a head and then event-stream text, as `curl -i` prints
/// it. Throws Error: bad_input where it is none of these; and as the readers do.
std::unique_ptr<RecordReader> open_recording(std::unique_ptr<RecordingInput> input,
                                             RecordingReaderOptions options = {});
/// The same for a path; `-` is standard input.
std::unique_ptr<RecordReader> open_recording(const std::string& path,
                                             RecordingReaderOptions options = {});

} // namespace sse
