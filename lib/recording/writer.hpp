// Writes a recording, sse-recording(5), line by line. All times are passed in.
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
    /// Write secrets in header fields and URLs as `***` (see mask.hpp).
    bool mask = true;
    /// Buffered bytes at which the buffer is written without a flush().
    std::size_t buffer_bytes = 64 * 1024;
    /// Maximum size of a line in bytes. Longer lines are refused, since readers refuse them, too.
    std::size_t max_line_bytes = 64 * 1024 * 1024;
    /// Waits until a full pipe or a stopped terminal can be written to; false gives up. Empty:
    /// waits without a limit.
    std::function<bool(int fd)> wait;
};

/// Writes one recording. After a crash, at most the last line of the file is incomplete. Call
/// flush() whenever the stream pauses, so that a kill loses no earlier data. Owns the descriptor.
/// One thread at a time.
///
/// `t` is the time since RecordingHeader::started; if it is lower than the one before, that is
/// repeated. The members throw Error: io with the file's name if writing fails (an incomplete line
/// is then removed if possible, and later calls throw again), too_large for a line that is too
/// long.
class RecordingWriter {
public:
    /// Creates or truncates `path`, gzipped if its name ends in `.gz`, and writes `header` at once.
    /// An empty `header.started` becomes the current time, an empty `header.tool` this program.
    RecordingWriter(std::string path, RecordingHeader header, RecordingWriterOptions options = {});
    /// The same for a descriptor, which it then owns. `name` is for errors.
    RecordingWriter(int fd, std::string name, RecordingHeader header,
                    RecordingWriterOptions options = {});
    /// Writes the rest and closes, ignoring errors; finish() reports them.
    ~RecordingWriter();
    RecordingWriter(const RecordingWriter&) = delete;
    RecordingWriter& operator=(const RecordingWriter&) = delete;

    void event(std::chrono::microseconds t, const EventView& event);
    /// A block with an ID and no data.
    void id(std::chrono::microseconds t, std::string_view id);
    /// `text` as Parser::Sink::on_comment gives it.
    void comment(std::chrono::microseconds t, std::string_view text);
    void retry(std::chrono::microseconds t, std::chrono::milliseconds time);
    /// The response to a reconnection. The first response belongs into the header.
    void open(std::chrono::microseconds t, const RecordedOpen& open);
    void close(std::chrono::microseconds t, const RecordedClose& close);
    /// Bytes of one read. Written as text if they are valid UTF-8, otherwise in base64.
    void bytes(std::chrono::microseconds t, std::string_view bytes);
    /// Any of the above.
    void write(const Record& record);

    /// Writes the buffer. False if RecordingWriterOptions::wait gave up; the rest stays buffered.
    bool flush();
    /// Writes the rest and closes. False as flush(); the rest is then lost. Call last.
    bool finish();
    /// Bytes written to the file.
    std::uint64_t written() const { return written_; }

private:
    bool write_out(std::string& from, std::size_t& size);
    void begin(std::chrono::microseconds t);
    void end();
    void escape_for_terminal();
    [[noreturn]] void fail(int error);

    std::string name_; ///< of the file, for errors
    RecordingWriterOptions options_;
    int fd_ = -1;
    bool may_cut_ = false;   ///< the file may be truncated after a failed write
    bool may_block_ = false; ///< a pipe or terminal, and wait() is set
    bool to_terminal_ = false;
    int error_ = 0; ///< errno of a failed write; nothing is written after it
    std::string buffer_;
    std::size_t line_ = 0;       ///< start of the current line in the buffer
    std::unique_ptr<Gzip> gzip_; ///< null: not compressed
    std::string packed_;         ///< compressed bytes not yet written
    std::uint64_t written_ = 0;
    std::chrono::microseconds last_{0};
};

} // namespace sse
