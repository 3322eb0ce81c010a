// A file that grows, read as `tail -F` reads it. Not a thread, and it never waits: FileFollower
// does.
#pragma once

#include "base/open_file.hpp"
#include "input/byte_source.hpp"
#include "input/file_watcher.hpp"

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace sse {

/// Where a file was read to, and a checksum of some bytes before that, since another file may have
/// its inode now.
struct ReadPlace {
    FilePlace at;
    std::uint32_t checked = 0; ///< bytes
    std::uint32_t crc = 0;     ///< of those

    /// `DEVICE INODE OFFSET CHECKED CRC`, decimal.
    std::string text() const;
    static std::optional<ReadPlace> parse(std::string_view text);
    /// The place behind `before`, the last bytes that were read.
    static ReadPlace after(FilePlace at, std::string_view before);
    static constexpr std::size_t max_checked = 256;
};

struct FollowOptions {
    FileWatcherOptions watch;
    /// Bytes of one read.
    std::size_t read_bytes = 256 * 1024;
    /// Bytes that are read of one file before the others have their turn.
    std::size_t turn_bytes = 4 * 1024 * 1024;
    /// A file that is there at the start is entered near its end, behind the end of an event.
    struct Entry {
        std::size_t bytes = 0; ///< that are read, up to an event less, if it has more; 0: all of it
        enum class End { line, blank_line, nul } end = End::line;
    } enter;
    /// Opens a file by its name, see OpenFile.
    OpenFile open;
    /// Where a file of that name was read to before, if that is known: it is read on there. If
    /// another file has the name now, the one that had it is looked for in its directory.
    std::function<std::optional<ReadPlace>(const std::string& path)> place;
    /// pread(2), or a substitute in tests.
    std::function<ssize_t(int fd, void* to, std::size_t size, off_t offset)> read;
};

/// Passes on the contents of the file and everything that is appended to it. A file that is missing
/// is waited for. When another file takes its name (a rotation), the old one is read until the new
/// one has contents, so that nothing is lost that its writer appends before it switches; then
/// on_break(), and the new one from its start. A file that has become shorter than what was read of
/// it was truncated: on_break(), and from its start. A file whose handle has become stale (ESTALE
/// on a network file system) is opened again: where it was read to if it is the same file, else as
/// one that was replaced. Not noticed: a file rewritten to the same length or more between two
/// checks, and one that came and went between them. One thread.
class FollowedFile {
public:
    /// Opens `path` if it exists. Throws std::system_error if it exists and cannot be read, or is
    /// not a regular file.
    FollowedFile(std::string path, const FollowOptions& options, FileWatcher& watcher,
                 FileWatcher::Key key);
    ~FollowedFile();
    FollowedFile(const FollowedFile&) = delete;
    FollowedFile& operator=(const FollowedFile&) = delete;

    /// Checks which file has the name now, and reads at most `turn_bytes` through `buffer`. True if
    /// there may be more to read at once. Throws std::system_error, and what `sink` throws.
    bool read(ByteSource::Sink& sink, std::span<char> buffer);

private:
    struct File;
    enum class Outcome { at_end, turn_over, stale };

    int open(File& file);
    void check_path(ByteSource::Sink& sink);
    Outcome read_file(File& file, ByteSource::Sink& sink, std::span<char> buffer);
    void drop_front();
    void drop_stale(ByteSource::Sink& sink);
    bool has_successor() const;
    void enter_near_end(File& file);
    bool enter_at(File& file, const ReadPlace& place) const;
    std::unique_ptr<File> find_by_inode(const ReadPlace& place);
    void resume(File& file, const ReadPlace& place);
    void note_once(ByteSource::Sink& sink, const std::string& text);

    std::string path_;
    const FollowOptions& options_;
    FileWatcher& watcher_;
    FileWatcher::Key key_;
    std::deque<std::unique_ptr<File>> files_; ///< the one being read, then those that replaced it
    std::unique_ptr<File> stale_;             ///< the one that was being read, closed
    std::string entry_note_;                  ///< where it was entered, until that was reported
    std::string last_note_;                   ///< "" once the file could be opened
};

} // namespace sse
