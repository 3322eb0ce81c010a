#include "net/given_files.hpp"

#include "base/output_file.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#ifdef __linux__
#include <linux/capability.h>
#include <sys/syscall.h>
#endif

namespace sse {

namespace {

constexpr mode_t log_mode = 0640;

int flags_of(GivenFiles::Use use) {
    const int common = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    return use == GivenFiles::Use::append ? O_WRONLY | O_APPEND | O_CREAT | common
                                          : O_RDONLY | common;
}

/// Keeps the capability to pass over file permissions only.
void drop_other_capabilities() {
#if defined(SYS_capset) && defined(_LINUX_CAPABILITY_VERSION_3)
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> kept{};
    kept[0].permitted = kept[0].effective = 1U << CAP_DAC_OVERRIDE;
    (void)::syscall(SYS_capset, &header, kept.data());
#endif
}

void close_all_but(int kept) {
#ifdef SYS_close_range
    if (::syscall(SYS_close_range, 0U, static_cast<unsigned>(kept) - 1, 0U) == 0 &&
        ::syscall(SYS_close_range, static_cast<unsigned>(kept) + 1, ~0U, 0U) == 0)
        return;
#endif
    rlimit limit{};
    const bool known = ::getrlimit(RLIMIT_NOFILE, &limit) == 0;
    for (int fd = 0; fd < (known ? static_cast<int>(limit.rlim_cur) : 1024); ++fd) {
        if (fd != kept) ::close(fd);
    }
}

struct Message {
    explicit Message(std::int32_t& number)
        : bytes{&number, sizeof number} {
        header.msg_iov = &bytes;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = sizeof control; // of another type than size() in some C libraries
    }
    iovec bytes;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
};

/// Sends `error`, and `fd` unless it is -1.
bool respond(int socket, std::int32_t error, int fd) {
    Message message(error);
    if (fd < 0) {
        message.header.msg_control = nullptr;
        message.header.msg_controllen = 0;
    } else {
        auto* const rights = CMSG_FIRSTHDR(&message.header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof fd);
        std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    }
    return ::sendmsg(socket, &message.header, no_sigpipe) >= 0;
}

} // namespace

GivenFiles::~GivenFiles() {
    child_ = Descriptor(); // its end
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

void GivenFiles::add(std::string path, Use use) { files_.push_back({std::move(path), use}); }

std::vector<std::string> GivenFiles::readable() const {
    std::vector<std::string> paths;
    for (const auto& file : files_) {
        if (file.use == Use::read) paths.push_back(file.path);
    }
    return paths;
}

void GivenFiles::keep_root() {
    if (files_.empty() || child_.get() >= 0) return;
    int pair[2];
    if (!make_socket_pair(pair, false))
        throw std::system_error(errno, std::generic_category(), "cannot keep files open for root");
    Descriptor ours(pair[0]), theirs(pair[1]);
    pid_ = ::fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process");
    if (pid_ > 0) {
        child_ = std::move(ours);
        return;
    }
    // The child: system calls only, since the fork may have interrupted other threads. Its end is
    // that of the connection, not a signal.
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    const int socket = theirs.release();
    close_all_but(socket);
    drop_other_capabilities();
    for (std::int32_t index = 0;
         ::recv(socket, &index, sizeof index, MSG_WAITALL) == sizeof index;) {
        if (index < 0 || static_cast<std::size_t>(index) >= files_.size()) break;
        const auto& file = files_[static_cast<std::size_t>(index)];
        const int flags = flags_of(file.use) | (file.use == Use::read ? 0 : O_NOFOLLOW);
        const int fd = ::open(file.path.c_str(), flags, log_mode);
        if (!respond(socket, fd < 0 ? errno : 0, fd)) break;
        if (fd >= 0) ::close(fd);
    }
    ::_exit(0);
}

int GivenFiles::open(const std::string& path, Use use) {
    const int fd = open_as_self(path, use);
    if (fd >= 0 || (errno != EACCES && errno != EPERM) || child_.get() < 0) return fd;
    const auto at = std::find_if(files_.begin(), files_.end(), [&](const File& file) {
        return file.path == path && file.use == use;
    });
    if (at != files_.end()) return ask(static_cast<std::size_t>(at - files_.begin()));
    errno = EACCES;
    return -1;
}

int GivenFiles::open_as_self(const std::string& path, Use use) {
    if (use != Use::append) return open_for_reading(path);
    try {
        return open_output_file(path, Existing::appended, log_mode);
    } catch (const std::system_error& e) {
        errno = e.code().value();
        return -1;
    }
}

int GivenFiles::ask(std::size_t index) {
    const std::lock_guard lock(mutex_);
    auto number = static_cast<std::int32_t>(index);
    if (::send(child_.get(), &number, sizeof number, no_sigpipe) != sizeof number) return -1;
    Message message(number);
    ssize_t got = 0;
    do got = receive_message(child_.get(), message.header);
    while (got < 0 && errno == EINTR);
    if (got != sizeof number) {
        errno = EACCES; // the child is gone
        return -1;
    }
    const auto* const rights = CMSG_FIRSTHDR(&message.header);
    if (rights && rights->cmsg_type == SCM_RIGHTS) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
        Descriptor file(fd);
        struct stat status {};
        // Nobody else gets the log, by a file of theirs in its place.
        const bool trusted =
            files_[index].use != Use::append ||
            (::fstat(fd, &status) == 0 && (status.st_uid == 0 || status.st_uid == ::geteuid()));
        if (trusted) return file.release();
        errno = EACCES;
        return -1;
    }
    errno = number;
    return -1;
}

} // namespace sse
