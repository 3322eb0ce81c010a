#include "input/file_notifier.hpp"

#include "base/posix.hpp"

#if defined(SSE_LINUX)
#include <climits>
#include <cstring>
#include <sys/inotify.h>
#include <unistd.h>
#elif __has_include(<sys/event.h>)
#include <array>
#include <ctime>
#include <fcntl.h>
#include <sys/event.h>
#include <unistd.h>
#define SSE_KQUEUE
#endif

namespace sse {

#if defined(SSE_LINUX)

FileNotifier::FileNotifier(bool enabled)
    : queue_(enabled ? ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK) : -1) {}

int FileNotifier::watch_directory(const std::string& path) {
    if (queue_.get() < 0) return -1;
    return ::inotify_add_watch(queue_.get(), path.c_str(),
                               IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR |
                                   IN_MASK_ADD);
}

int FileNotifier::watch_file(int fd) {
    // By its descriptor: by its name it could be another file by now.
    const auto path = path_of(fd);
    if (queue_.get() < 0 || !path) return -1;
    return ::inotify_add_watch(queue_.get(), path->c_str(), IN_MODIFY | IN_MASK_ADD);
}

void FileNotifier::remove(int watch) { ::inotify_rm_watch(queue_.get(), watch); }

void FileNotifier::read(const std::function<void(const Notification&)>& on_notification) {
    alignas(inotify_event) char buffer[64 * (sizeof(inotify_event) + NAME_MAX + 1)];
    for (;;) {
        const auto got = ::read(queue_.get(), buffer, sizeof buffer);
        if (got <= 0) return;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            inotify_event event;
            std::memcpy(&event, buffer + at, sizeof event);
            const char* const name = event.len > 0 ? buffer + at + sizeof event : "";
            at += sizeof event + event.len;
            const bool is_lost = (event.mask & IN_Q_OVERFLOW) != 0;
            on_notification({is_lost ? -1 : event.wd, name, (event.mask & IN_IGNORED) != 0});
        }
    }
}

#elif defined(SSE_KQUEUE)

namespace {

/// Adds a watch of `fd`, which the queue watches until it is closed.
bool add_watch(int queue, int fd, unsigned notes) {
    struct kevent change;
    EV_SET(&change, static_cast<uintptr_t>(fd), EVFILT_VNODE, EV_ADD | EV_CLEAR, notes, 0, nullptr);
    return ::kevent(queue, &change, 1, nullptr, 0, nullptr) == 0;
}

} // namespace

FileNotifier::FileNotifier(bool enabled)
    : queue_(enabled ? ::kqueue() : -1) {
    if (queue_.get() >= 0) ::fcntl(queue_.get(), F_SETFD, FD_CLOEXEC);
}

int FileNotifier::watch_directory(const std::string& path) {
    if (queue_.get() < 0) return -1;
    Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const int number = directory.get();
    // No system tells the names: a change concerns all of them.
    if (number < 0 || !add_watch(queue_.get(), number, NOTE_WRITE | NOTE_DELETE | NOTE_RENAME))
        return -1;
    watched_.emplace(number, std::move(directory));
    return number;
}

int FileNotifier::watch_file(int fd) {
    if (queue_.get() < 0) return -1;
    // A descriptor of our own: closing it ends the watch, and nothing else does.
    Descriptor file(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    const int number = file.get();
    if (number < 0 || !add_watch(queue_.get(), number, NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB))
        return -1;
    watched_.emplace(number, std::move(file));
    return number;
}

void FileNotifier::remove(int watch) { watched_.erase(watch); }

void FileNotifier::read(const std::function<void(const Notification&)>& on_notification) {
    std::array<struct kevent, 64> events;
    const timespec now{0, 0};
    for (;;) {
        const int got = ::kevent(queue_.get(), nullptr, 0, events.data(),
                                 static_cast<int>(events.size()), &now);
        if (got <= 0) return;
        for (int i = 0; i < got; ++i) {
            const auto& event = events.at(static_cast<std::size_t>(i));
            const int watch = static_cast<int>(event.ident);
            const bool is_over = (event.fflags & (NOTE_DELETE | NOTE_RENAME)) != 0;
            if (is_over) watched_.erase(watch);
            on_notification({watch, {}, is_over});
        }
    }
}

#else

FileNotifier::FileNotifier(bool) {}
int FileNotifier::watch_directory(const std::string&) { return -1; }
int FileNotifier::watch_file(int) { return -1; }
void FileNotifier::remove(int) {}
void FileNotifier::read(const std::function<void(const Notification&)>&) {}

#endif

} // namespace sse
