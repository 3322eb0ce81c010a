#include "input/file_watcher.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/inotify.h>
#endif

namespace sse {

FileWatcher::FileWatcher(FileWatcherOptions options)
    : options_(options)
    , checked_(Clock::now()) {
#ifdef __linux__
    if (options_.notify) inotify_ = Descriptor(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
#endif
}

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

#ifdef __linux__

void FileWatcher::watch(const std::string& path, Directory& directory) {
    if (inotify_.get() < 0) return;
    const int number = ::inotify_add_watch(inotify_.get(), path.c_str(),
                                           IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                               IN_ONLYDIR | IN_MASK_ADD);
    // Two names of one directory have one watch; the second one goes without.
    if (number < 0 || !directory_of_.emplace(number, &directory).second) return;
    directory.number = number;
    --missing_;
}

int FileWatcher::add_file(int fd, Key key) {
    // By its descriptor: by its name it could be another file by now.
    const auto path = fmt::format("/proc/self/fd/{}", fd);
    const int number = inotify_.get() < 0 ? -1
                                          : ::inotify_add_watch(inotify_.get(), path.c_str(),
                                                                IN_MODIFY | IN_MASK_ADD);
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
    if (files_.count(number) == 0) ::inotify_rm_watch(inotify_.get(), number);
}

void FileWatcher::read_notifications(std::set<Key>& changed) {
    alignas(inotify_event) char buffer[64 * (sizeof(inotify_event) + NAME_MAX + 1)];
    for (;;) {
        const auto got = ::read(inotify_.get(), buffer, sizeof buffer);
        if (got <= 0) return;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event;
            std::memcpy(&event, buffer + at, sizeof event);
            const char* const name = event.len > 0 ? buffer + at + sizeof event : "";
            at += sizeof event + event.len;
            const bool is_over = (event.mask & IN_IGNORED) != 0;
            if ((event.mask & IN_Q_OVERFLOW) != 0) changed = keys_;
            if (const auto of = directory_of_.find(event.wd); of != directory_of_.end()) {
                auto& directory = *of->second;
                const auto [begin, end] = directory.names.equal_range(name);
                for (auto it = begin; it != end; ++it) changed.insert(it->second);
                if (!is_over) continue;
                for (const auto& [ignored, key] : directory.names) changed.insert(key);
                directory.number = -1; // it is gone; another one of that name may come
                directory_of_.erase(of);
                ++missing_;
                continue;
            }
            const auto [begin, end] = files_.equal_range(event.wd);
            for (auto it = begin; it != end; ++it) changed.insert(it->second);
            if (is_over) files_.erase(event.wd);
        }
    }
}

#else

void FileWatcher::watch(const std::string&, Directory&) {}
int FileWatcher::add_file(int, Key key) { return unwatched_.insert(key), -1; }
void FileWatcher::remove_file(int, Key key) {
    if (const auto at = unwatched_.find(key); at != unwatched_.end()) unwatched_.erase(at);
}
void FileWatcher::read_notifications(std::set<Key>&) {}

#endif

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
        pollfd fds[2] = {{stop_fd, POLLIN, 0}, {inotify_.get(), POLLIN, 0}}; // -1 is ignored
        ::poll(fds, 2, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (fds[0].revents != 0) return false;
        if (fds[1].revents != 0) read_notifications(changed);
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
