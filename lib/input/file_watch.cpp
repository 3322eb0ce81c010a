#include "input/file_watch.hpp"

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

FileWatch::FileWatch(const std::string& path, FileWatchOptions options)
    : options_(options) {
    const auto slash = path.rfind('/');
    directory_ = slash == path.npos ? "." : path.substr(0, slash + 1);
    name_ = slash == path.npos ? path : path.substr(slash + 1);
#ifdef __linux__
    if (options_.notify) fd_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
#endif
    watch_directory();
}

FileWatch::~FileWatch() {
    if (fd_ >= 0) ::close(fd_);
}

#ifdef __linux__

void FileWatch::watch_directory() {
    if (fd_ < 0 || directory_number_ >= 0) return;
    directory_number_ = ::inotify_add_watch(
        fd_, directory_.c_str(), IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR);
}

int FileWatch::add(int fd) {
    if (fd_ < 0) return -1;
    // By its descriptor: by its name it could be another file by now.
    return ::inotify_add_watch(fd_, fmt::format("/proc/self/fd/{}", fd).c_str(), IN_MODIFY);
}

void FileWatch::remove(int number) {
    if (fd_ >= 0 && number >= 0) ::inotify_rm_watch(fd_, number);
}

/// Reads what has happened. True if any of it concerns us: the directory may be a busy one.
bool FileWatch::drain() {
    alignas(inotify_event) char buffer[16 * (sizeof(inotify_event) + NAME_MAX + 1)];
    bool ours = false;
    for (;;) {
        const auto got = ::read(fd_, buffer, sizeof buffer);
        if (got <= 0) return ours;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event;
            std::memcpy(&event, buffer + at, sizeof event);
            const char* name = buffer + at + sizeof event;
            at += sizeof event + event.len;
            if (event.wd != directory_number_ || (event.mask & IN_IGNORED) != 0) ours = true;
            else ours = ours || (event.len > 0 && name_ == name);
            if (event.wd == directory_number_ && (event.mask & IN_IGNORED) != 0)
                directory_number_ = -1; // it is gone; one of that name may come
        }
    }
}

#else

void FileWatch::watch_directory() {}
int FileWatch::add(int) { return -1; }
void FileWatch::remove(int) {}
bool FileWatch::drain() { return false; }

#endif

bool FileWatch::wait(int stop_fd) {
    watch_directory();
    const bool told = fd_ >= 0 && directory_number_ >= 0;
    const auto interval = told ? options_.safety_interval : options_.interval;
    const auto until = std::chrono::steady_clock::now() + interval;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return true;
        pollfd fds[2] = {{stop_fd, POLLIN, 0}, {fd_, POLLIN, 0}}; // one of -1 is ignored
        ::poll(fds, 2, static_cast<int>(left.count()));
        if (fds[0].revents != 0) return false;
        if (fds[1].revents != 0 && drain()) return true;
    }
}

} // namespace sse
