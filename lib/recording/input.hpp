// The bytes of a file as they are to be read: gunzipped where they are gzipped. Knows no lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sse {

/// Reads one file from its start. Owns its descriptor; one thread at a time.
class RecordingInput {
public:
    /// Opens `path` (`-` is stdin). Gzip is known by its first bytes (RFC 1952); several members in
    /// a row are one text. Throws Error: io if it cannot be opened or is a directory.
    explicit RecordingInput(std::string path);
    ~RecordingInput();
    RecordingInput(const RecordingInput&) = delete;
    RecordingInput& operator=(const RecordingInput&) = delete;

    /// Its next bytes, which read() will give again: until they are `enough`, `size`, or all there
    /// are; it waits for no more. Valid until then.
    std::string_view peek(std::size_t size, bool (*enough)(std::string_view));
    /// Up to `size` bytes into `to`; 0 at the end (more may come if the file grows). Throws Error:
    /// io, or bad_input where the gzip data is broken.
    std::size_t read(char* to, std::size_t size);
    /// Goes on at byte `offset` of the text. Cheap for a plain file; a gzipped one is read again
    /// from its start. Throws Error: io where neither is possible (a pipe).
    void seek(std::uint64_t offset);
    /// What waits for a pipe's writer; see RecordingReaderOptions.
    void wait_with(std::function<bool(int fd)> wait) { wait_ = std::move(wait); }
    /// The gzip data ended before its time (a crash of what wrote it).
    bool cut_short() const;
    bool gzipped() const { return gzip_ != nullptr; }
    /// The next read() would wait for a pipe's writer.
    bool would_wait() const;
    /// seek() works, and is cheap: a plain file.
    bool random_access() const { return size().has_value(); }
    /// Bytes of the text now; nullopt if nobody knows them: of a pipe, of a gzipped file.
    std::optional<std::uint64_t> size() const;
    /// For messages: the path, or `stdin`, or what it was called since.
    const std::string& name() const { return name_; }
    void call(std::string name) { name_ = std::move(name); }
    const std::string& path() const { return path_; }

private:
    struct Gzip;
    std::size_t read_raw(char* to, std::size_t size);
    std::size_t read_file(char* to, std::size_t size);
    std::size_t read_gzip(char* to, std::size_t size);
    void look_for_gzip();

    std::string path_, name_;
    int fd_ = -1;
    bool pipe_ = false; ///< or a socket, a terminal: not a file
    std::function<bool(int fd)> wait_;
    std::string magic_; ///< of the file: read to look for gzip, not yet used
    std::string ahead_; ///< of the text: peeked at, not yet handed out
    std::unique_ptr<Gzip> gzip_;
};

} // namespace sse
