// Waits until a file, or what a path names, may have changed: inotify where there is one, a look
// every now and then everywhere. Not a reader: it does not say what has changed.
#pragma once

#include <chrono>
#include <string>

namespace sse {

struct FileWatchOptions {
    /// Between two looks where nothing tells of changes.
    std::chrono::milliseconds interval{250};
    /// Between two looks all the same: a network file system changes unseen, and so does a path
    /// whose directories are links.
    std::chrono::milliseconds safety_interval{1'000};
    /// Off: as where there is no inotify.
    bool notify = true;
};

/// Used on one thread.
class FileWatch {
public:
    explicit FileWatch(const std::string& path, FileWatchOptions options = {});
    ~FileWatch();
    FileWatch(const FileWatch&) = delete;
    FileWatch& operator=(const FileWatch&) = delete;

    /// Watches that open file from now on, whatever its name becomes. Returns its number.
    int add(int fd);
    void remove(int number);
    /// Returns once there may be something new since the last wait(), or `stop_fd` is readable:
    /// then false.
    bool wait(int stop_fd);

private:
    void watch_directory();
    bool drain();

    std::string directory_, name_;
    FileWatchOptions options_;
    int fd_ = -1; ///< of inotify; -1: none
    int directory_number_ = -1;
};

} // namespace sse
