// Follows any number of files on one thread, with one FileWatcher.
#pragma once

#include "base/wake_pipe.hpp"
#include "input/followed_file.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sse {

/// add() before run(), both on one thread; stop() on any. It has no end but stop().
class FileFollower {
public:
    explicit FileFollower(FollowOptions options = {});
    FileFollower(const FileFollower&) = delete;
    FileFollower& operator=(const FileFollower&) = delete;

    /// Opens `path` if it exists; see FollowedFile. `sink` must outlive the follower.
    void add(const std::string& path, ByteSource::Sink& sink);
    /// Reads the files in turns and waits for changes until stop(). A sink that blocks holds up all
    /// files. Calls `on_caught_up` once, when it has read what the files hold at the start. Throws
    /// what FollowedFile::read() throws.
    void run(const std::function<void()>& on_caught_up = {});
    void stop() { wake_.set(); }

private:
    struct Entry {
        std::unique_ptr<FollowedFile> file;
        ByteSource::Sink* sink;
    };

    FollowOptions options_;
    WakePipe wake_;
    FileWatcher watcher_;
    std::vector<Entry> files_; ///< by FileWatcher::Key
};

} // namespace sse
