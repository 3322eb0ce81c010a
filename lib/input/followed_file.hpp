// A file that grows, as `tail -F` reads it.
#pragma once

#include "base/wake_pipe.hpp"
#include "input/byte_source.hpp"
#include "input/file_watch.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <sys/types.h>

namespace sse {

struct FollowOptions {
    FileWatchOptions watch;
    /// Bytes of one read.
    std::size_t read_bytes = 256 * 1024;
};

/// Hands on what the file has, and what is appended to it, until stop(): it has no end. A file that
/// is not there yet is waited for. When another file takes its name (a rotation), the old one is
/// read until the new one has something, so that what its writer appends before it changes over is
/// not lost; then on_break(), and the new one from its start. A file that has become shorter than
/// what was read of it was truncated: on_break(), and from its start. What cannot be seen: a file
/// rewritten to the same length or more between two looks, and one that came and went between them.
class FollowedFile : public ByteSource {
public:
    /// Opens `path` if it is there. Throws std::system_error if it is, but cannot be read, or is no
    /// regular file.
    explicit FollowedFile(std::string path, FollowOptions options = {});
    ~FollowedFile() override;
    FollowedFile(const FollowedFile&) = delete;
    FollowedFile& operator=(const FollowedFile&) = delete;

    /// False always: it ends only by stop().
    bool run(Sink& sink) override;
    void stop() override { wake_.set(); }
    const std::string& name() const override { return path_; }

private:
    struct File;
    void look(Sink& sink);
    bool read_files(Sink& sink);
    bool read_on(File& file, Sink& sink);
    bool successor_has_begun() const;
    void note_once(Sink& sink, const std::string& text);

    std::string path_;
    FollowOptions options_;
    WakePipe wake_;
    FileWatch watch_;
    std::unique_ptr<char[]> buffer_;
    std::deque<std::unique_ptr<File>> files_; ///< the one being read, then those that replaced it
    std::string last_note_;                   ///< "": all is well
};

} // namespace sse
