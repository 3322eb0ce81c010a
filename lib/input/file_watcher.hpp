// Waits until files, or the files that paths name, may have changed: by notifications where
// there are any (file_notifier), and by time everywhere. Not a reader: it does not know what has
// changed in a file.
#pragma once

#include "input/file_notifier.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace sse {

struct FileWatcherOptions {
    /// Time between two checks of files for which there are no notifications.
    std::chrono::milliseconds interval{250};
    /// Time between two checks of all files: network file systems do not notify of changes made by
    /// other machines, and neither does a path whose directories are links.
    std::chrono::milliseconds safety_interval{1'000};
    /// False: do without notifications.
    bool notify = true;
};

/// One FileNotifier for any number of files. Used on one thread.
class FileWatcher {
public:
    /// Chosen by the caller, and the same for a path and the files that were found under it.
    using Key = std::size_t;

    explicit FileWatcher(FileWatcherOptions options = {});
    FileWatcher(const FileWatcher&) = delete;
    FileWatcher& operator=(const FileWatcher&) = delete;

    /// Watches `path`: another file may take its name.
    void add_path(const std::string& path, Key key);
    /// Watches an open file, whatever its name becomes. Returns a number for remove_file().
    int add_file(int fd, Key key);
    void remove_file(int number, Key key);

    /// Waits until there may be changes since the last call, and stores the keys that they concern
    /// in `changed`. False once `stop_fd` is readable.
    bool wait(int stop_fd, std::set<Key>& changed);

private:
    using Clock = std::chrono::steady_clock;
    struct Directory {
        int number = -1; ///< of its watch; -1: it is missing
        std::unordered_multimap<std::string, Key> names;
    };

    void watch(const std::string& path, Directory& directory);
    void on_notification(const FileNotifier::Notification& notification, std::set<Key>& changed);
    void add_unwatched(std::set<Key>& changed) const;

    FileWatcherOptions options_;
    FileNotifier notifier_;
    std::map<std::string, Directory> directories_;
    std::unordered_map<int, Directory*> directory_of_;
    std::unordered_multimap<int, Key> files_; ///< by the number of the watch
    std::multiset<Key> unwatched_;            ///< of files that could not be watched
    std::size_t missing_ = 0;                 ///< directories without a watch
    std::set<Key> keys_;                      ///< all
    Clock::time_point checked_;               ///< all files, last
};

} // namespace sse
