// The system's notifications of changes of files and directories: inotify, kqueue, or none. Not a
// reader, and not complete: FileWatcher also checks by time.
#pragma once

#include "base/descriptor.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace sse {

/// Watches are numbers, chosen here; -1 is none. Used on one thread.
class FileNotifier {
public:
    struct Notification {
        int watch;             ///< -1: some were lost; anything may have changed
        std::string_view name; ///< of the changed file in a watched directory; "" if unknown
        bool is_over;          ///< the watch has ended: what it watched is gone
    };

    /// Without `enabled`, as where the system has no notifications: fd() and all watches are -1.
    explicit FileNotifier(bool enabled);

    /// Readable while there are notifications.
    int fd() const { return queue_.get(); }
    /// A directory in which names appear, disappear or change hands. Two names of one directory may
    /// have the same watch.
    int watch_directory(const std::string& path);
    /// An open file that grows or is truncated. One file may have the same watch twice.
    int watch_file(int fd);
    void remove(int watch);
    /// Takes the notifications there are, without waiting.
    void read(const std::function<void(const Notification&)>& on_notification);

private:
    Descriptor queue_;
    std::map<int, Descriptor> watched_; ///< kqueue: what is watched, by its number
};

} // namespace sse
