// Reads the bytes of a file, and decompresses gzip, and the zlib of mitmproxy's .zhar. Knows no
// lines.
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

/// Reads one file or pipe from its start. Owns the descriptor. One thread at a time.
class RecordingInput {
public:
    /// Opens `path` (`-` is standard input). Gzip is detected by its first bytes (RFC 1952);
    /// several members are read as one text. Throws Error: io if it cannot be opened or is a
    /// directory.
    explicit RecordingInput(std::string path);
    ~RecordingInput();
    RecordingInput(const RecordingInput&) = delete;
    RecordingInput& operator=(const RecordingInput&) = delete;

    /// The next bytes, without consuming them: until `enough` returns true, up to `size`, or up to
    /// the end. Valid until the next call of a member.
    std::string_view peek(std::size_t size, bool (*enough)(std::string_view));
    /// Reads up to `size` bytes into `to`; returns 0 at the end (a growing file may have more
    /// later). Throws Error: io, or bad_input for corrupt gzip data.
    std::size_t read(char* to, std::size_t size);
    /// Continues at byte `offset` of the text. A gzipped file is decompressed again from its start.
    /// Throws Error: io for a pipe.
    void seek(std::uint64_t offset);
    /// Sets the function that waits for data in a pipe; see RecordingReaderOptions::wait.
    void wait_with(std::function<bool(int fd)> wait) { wait_ = std::move(wait); }
    /// True if the gzip data ends early, as after a crash of its writer.
    bool cut_short() const;
    bool gzipped() const { return gzip_ != nullptr; }
    /// True if the next read() would wait for data in a pipe.
    bool would_wait() const;
    /// True if seek() is cheap: for a plain file.
    bool random_access() const { return size().has_value(); }
    /// Current size of the text in bytes; nullopt for a pipe and for a gzipped file.
    std::optional<std::uint64_t> size() const;
    /// Name in messages: the path, `stdin`, or the name of set_name().
    const std::string& name() const { return name_; }
    void set_name(std::string name) { name_ = std::move(name); }
    const std::string& path() const { return path_; }

private:
    struct Gzip;
    std::size_t read_raw(char* to, std::size_t size);
    std::size_t read_file(char* to, std::size_t size);
    std::size_t read_gzip(char* to, std::size_t size);
    void detect_gzip();

    std::string path_, name_;
    int fd_ = -1;
    bool pipe_ = false; ///< a pipe, socket or terminal, not a file
    std::function<bool(int fd)> wait_;
    std::string magic_; ///< bytes of the file read by detect_gzip(), not yet consumed
    std::string ahead_; ///< bytes of the text read by peek(), not yet consumed
    std::unique_ptr<Gzip> gzip_;
};

} // namespace sse
