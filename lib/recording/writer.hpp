// Writes a recording, sse-recording(5), line by line. Not a clock: every time is passed in. Not the
// parser: what is recorded has been read already.
#pragma once

#include "recording/gzip.hpp"
#include "recording/record.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace sse {

struct RecordingWriterOptions {
    /// Secrets in headers and URLs are written as `***` (see mask.hpp).
    bool mask = true;
    /// Bytes that gather before they are written without a flush().
    std::size_t buffer_bytes = 64 * 1024;
    /// Bytes of a line. More is refused, since no reader would take it (RecordingReaderOptions).
    std::size_t max_line_bytes = 64 * 1024 * 1024;
    /// Waits until the descriptor, a full pipe or a stopped terminal, can be written to; false: it
    /// is no longer to be waited for. Empty: for as long as it takes.
    std::function<bool(int fd)> wait;
};

/// Writes one recording. Lines reach the file whole: after a crash at most the last one is torn.
/// Call flush() whenever the stream pauses, so that a kill loses nothing that was read before. One
/// thread at a time.
///
/// `t` is the time since RecordingHeader::started; one that is less than the last is written as the
/// last. The members throw Error: io with the file's name when writing fails (what was torn is then
/// cut off again where the file allows it, and later calls throw once more), too_large for a line
/// over the bound.
class RecordingWriter {
public:
    /// Creates or empties `path`, gzipped if its name ends in `.gz`, and writes `header` through at
    /// once. An empty `header.started` becomes now, an empty `header.tool` this program.
    RecordingWriter(std::string path, RecordingHeader header, RecordingWriterOptions options = {});
    /// The same to a descriptor, which it takes over: a pipe, say. `name` is for errors.
    RecordingWriter(int fd, std::string name, RecordingHeader header,
                    RecordingWriterOptions options = {});
    /// Writes what is left, and closes; what fails then is lost. finish() tells.
    ~RecordingWriter();
    RecordingWriter(const RecordingWriter&) = delete;
    RecordingWriter& operator=(const RecordingWriter&) = delete;

    void event(std::chrono::microseconds t, const EventView& event);
    /// A block with an id and without data.
    void id(std::chrono::microseconds t, std::string_view id);
    /// `text` as Parser::Sink::on_comment gives it.
    void comment(std::chrono::microseconds t, std::string_view text);
    void retry(std::chrono::microseconds t, std::chrono::milliseconds time);
    /// A reconnection was answered. The first answer belongs into the header.
    void open(std::chrono::microseconds t, const RecordedOpen& open);
    void close(std::chrono::microseconds t, const RecordedClose& close);
    /// What one read gave (byte mode). Written as text where it is UTF-8 by itself, else in base64.
    void bytes(std::chrono::microseconds t, std::string_view bytes);
    /// Any of the above.
    void write(const Record& record);

    /// Gives the kernel what has gathered. Cheap when there is nothing. False if
    /// RecordingWriterOptions::wait was: the rest is kept.
    bool flush();
    /// Writes what is left and closes, with the errors that this may have. False as flush(), and
    /// the rest is lost. Nothing may follow.
    bool finish();
    /// Bytes that the file holds.
    std::uint64_t written() const { return written_; }

private:
    bool write_out(std::string& from, std::size_t& size);
    void begin(std::chrono::microseconds t);
    void end();
    [[noreturn]] void fail(int error);

    std::string name_; ///< the path, or what the descriptor is called
    RecordingWriterOptions options_;
    int fd_ = -1;
    bool may_cut_ = false;   ///< the file is its own: what is torn may be cut off
    bool may_block_ = false; ///< a pipe or a terminal, and there is a wait() for them
    int error_ = 0;          ///< errno of the write that failed; nothing is written after it
    std::string buffer_;
    std::size_t line_ = 0;       ///< where in the buffer the line being made begins
    std::unique_ptr<Gzip> gzip_; ///< if it is to be gzipped
    std::string packed_;         ///< by it, and not written yet
    std::uint64_t written_ = 0;
    std::chrono::microseconds last_{0};
};

} // namespace sse
