#include "input/file_watcher.hpp"

#include <algorithm>
#include <poll.h>

namespace sse {

FileWatcher::FileWatcher(FileWatcherOptions options)
    : options_(options)
    , notifier_(options_.notify)
    , checked_(Clock::now()) {}

void FileWatcher::add_path(const std::string& path, Key key) {
    const auto slash = path.rfind('/');
    const auto name = slash == path.npos ? path : path.substr(slash + 1);
    const auto parent = slash == path.npos ? std::string(".") : path.substr(0, slash + 1);
    const auto [at, is_new] = directories_.try_emplace(parent);
    at->second.names.emplace(name, key);
    keys_.insert(key);
    if (!is_new) return;
    ++missing_;
    watch(parent, at->second);
}

void FileWatcher::watch(const std::string& path, Directory& directory) {
    const int number = notifier_.watch_directory(path);
    // Two names of one directory have one watch; the second one goes without.
    if (number < 0 || !directory_of_.emplace(number, &directory).second) return;
    directory.number = number;
    --missing_;
}

int FileWatcher::add_file(int fd, Key key) {
    const int number = notifier_.watch_file(fd);
    if (number < 0) unwatched_.insert(key);
    else files_.emplace(number, key);
    return number;
}

void FileWatcher::remove_file(int number, Key key) {
    if (number < 0) {
        if (const auto at = unwatched_.find(key); at != unwatched_.end()) unwatched_.erase(at);
        return;
    }
    const auto [begin, end] = files_.equal_range(number);
    const auto at = std::find_if(begin, end, [&](const auto& file) { return file.second == key; });
    if (at == end) return; // the file is gone, and its watch with it
    files_.erase(at);
    if (files_.count(number) == 0) notifier_.remove(number);
}

void FileWatcher::on_notification(const FileNotifier::Notification& notification,
                                  std::set<Key>& changed) {
    const auto& [number, name, is_over] = notification;
    if (number < 0) changed = keys_;
    if (const auto of = directory_of_.find(number); of != directory_of_.end()) {
        auto& directory = *of->second;
        const bool all = is_over || name.empty();
        const auto [first, last] = directory.names.equal_range(std::string(name));
        const auto end = all ? directory.names.end() : last;
        for (auto it = all ? directory.names.begin() : first; it != end; ++it)
            changed.insert(it->second);
        if (!is_over) return;
        directory.number = -1; // it is gone; another one of that name may come
        directory_of_.erase(of);
        ++missing_;
        return;
    }
    const auto [begin, end] = files_.equal_range(number);
    for (auto it = begin; it != end; ++it) changed.insert(it->second);
    if (is_over) files_.erase(number);
}

void FileWatcher::add_unwatched(std::set<Key>& changed) const {
    changed.insert(unwatched_.begin(), unwatched_.end());
    if (missing_ == 0) return;
    for (const auto& [path, directory] : directories_) {
        if (directory.number >= 0) continue;
        for (const auto& [name, key] : directory.names) changed.insert(key);
    }
}

bool FileWatcher::wait(int stop_fd, std::set<Key>& changed) {
    changed.clear();
    if (missing_ > 0) {
        for (auto& [path, directory] : directories_) {
            if (directory.number < 0) watch(path, directory);
        }
    }
    const bool some_unwatched = missing_ > 0 || !unwatched_.empty();
    const auto began = Clock::now();
    const auto all_at = checked_ + options_.safety_interval;
    const auto until = some_unwatched ? std::min(all_at, began + options_.interval) : all_at;
    do {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        pollfd fds[2] = {{stop_fd, POLLIN, 0}, {notifier_.fd(), POLLIN, 0}}; // -1 is ignored
        ::poll(fds, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (fds[0].revents != 0) return false;
        if (fds[1].revents != 0)
            notifier_.read([&](const auto& seen) { on_notification(seen, changed); });
        const auto now = Clock::now();
        if (now >= all_at) {
            changed = keys_;
            checked_ = now;
        } else if (now >= until) {
            add_unwatched(changed);
        }
    } while (changed.empty() && Clock::now() < until);
    return true;
}

} // namespace sse
