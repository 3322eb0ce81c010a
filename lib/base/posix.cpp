#include "base/posix.hpp"

#include "base/descriptor.hpp"
#include "base/run_delay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <fstream>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#ifdef __linux__
#include <linux/sockios.h>
#endif
#ifdef SSE_LINUX
#include <sys/prctl.h>
#endif
#ifdef __FreeBSD__
#include <sys/procctl.h>
#endif
#ifdef __APPLE__
#include <mach/mach.h>
#endif

namespace sse {

namespace {

/// Another thread that forks in between passes the descriptor on: what the calls of Linux are for.
[[maybe_unused]] int prepare(int fd, bool nonblocking) {
    if (fd < 0) return fd;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    const int flags = ::fcntl(fd, F_GETFL);
    ::fcntl(fd, F_SETFL, nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    return fd;
}

[[maybe_unused]] int prepare_socket(int fd, bool nonblocking) {
#ifdef SO_NOSIGPIPE
    const int on = 1;
    if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
    return prepare(fd, nonblocking);
}

[[maybe_unused]] void set(int fd, int level, int option, std::chrono::seconds value) {
    const int number = static_cast<int>(value.count());
    ::setsockopt(fd, level, option, &number, sizeof number);
}

} // namespace

#ifdef MSG_NOSIGNAL
const int no_sigpipe = MSG_NOSIGNAL;
#else
const int no_sigpipe = 0;
#endif

bool make_pipe(int (&ends)[2], bool nonblocking) {
#ifdef SSE_LINUX
    return ::pipe2(ends, nonblocking ? O_CLOEXEC | O_NONBLOCK : O_CLOEXEC) == 0;
#else
    if (::pipe(ends) != 0) return false;
    for (const int end : ends) prepare(end, nonblocking);
    return true;
#endif
}

int make_socket(int family, int type, bool nonblocking) {
#ifdef SSE_LINUX
    return ::socket(family, type | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);
#else
    return prepare_socket(::socket(family, type, 0), nonblocking);
#endif
}

bool make_socket_pair(int (&ends)[2], bool nonblocking) {
#ifdef SSE_LINUX
    const int flags = SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
    return ::socketpair(AF_UNIX, SOCK_STREAM | flags, 0, ends) == 0;
#else
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return false;
    for (const int end : ends) prepare_socket(end, nonblocking);
    return true;
#endif
}

#ifdef SSE_LINUX
const bool accepted_inherits_options = true;
#else
const bool accepted_inherits_options = false;
#endif

int accept_socket(int listening) {
#ifdef SSE_LINUX
    return ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    return prepare_socket(::accept(listening, nullptr, nullptr), true);
#endif
}

int make_placeholder() { return make_socket(AF_UNIX, SOCK_DGRAM, true); }

int open_again(int fd, int flags) {
#if defined(SSE_LINUX)
    return ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), flags | O_CLOEXEC);
#elif defined(F_GETPATH)
    char path[PATH_MAX];
    if (::fcntl(fd, F_GETPATH, path) < 0) return -1;
    return ::open(path, flags | O_CLOEXEC);
#else
    static_cast<void>(fd), static_cast<void>(flags);
    errno = ENOSYS;
    return -1;
#endif
}

bool sync_data(int fd) {
#if defined(F_FULLFSYNC) // fsync() of macOS leaves them in the disk's cache
    return ::fcntl(fd, F_FULLFSYNC) == 0 || ::fsync(fd) == 0;
#elif defined(SSE_LINUX) || defined(__FreeBSD__)
    return ::fdatasync(fd) == 0;
#else
    return ::fsync(fd) == 0;
#endif
}

void expect_random_reads([[maybe_unused]] int fd) {
#if defined(SSE_LINUX) || defined(__FreeBSD__)
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
#elif defined(F_RDAHEAD) // macOS
    ::fcntl(fd, F_RDAHEAD, 0);
#endif
}

std::optional<std::string> path_of([[maybe_unused]] int fd) {
#ifdef SSE_LINUX
    auto path = fmt::format("/proc/self/fd/{}", fd);
    if (::access(path.c_str(), F_OK) == 0) return path;
#endif
    return std::nullopt; // what others have is a duplicate, with the same position
}

ssize_t receive_message(int socket, msghdr& message) {
#ifdef SSE_LINUX
    return ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
#else
    const auto got = ::recvmsg(socket, &message, 0);
    if (got < 0) return got;
    for (auto* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        const auto* const bytes = CMSG_DATA(part);
        for (const auto* at = bytes; at + sizeof(int) <= bytes + part->cmsg_len - CMSG_LEN(0);
             at += sizeof(int)) {
            int fd = -1;
            std::memcpy(&fd, at, sizeof fd);
            ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
    }
    return got;
#endif
}

std::size_t queued_bytes([[maybe_unused]] int fd) {
#if defined(__linux__)
    int bytes = 0;
    if (::ioctl(fd, SIOCOUTQ, &bytes) != 0) return 0;
    return static_cast<std::size_t>(bytes);
#elif defined(FIONWRITE)
    int bytes = 0;
    if (::ioctl(fd, FIONWRITE, &bytes) != 0) return 0;
    return static_cast<std::size_t>(bytes);
#elif defined(SO_NWRITE)
    int bytes = 0;
    socklen_t size = sizeof bytes;
    if (::getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &size) != 0) return 0;
    return static_cast<std::size_t>(bytes);
#else
    return 0;
#endif
}

void keep_alive(int fd, [[maybe_unused]] std::chrono::seconds idle,
                [[maybe_unused]] std::chrono::seconds interval, [[maybe_unused]] int probes) {
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
#if defined(TCP_KEEPIDLE)
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
#elif defined(TCP_KEEPALIVE)
    set(fd, IPPROTO_TCP, TCP_KEEPALIVE, idle);
#endif
#ifdef TCP_KEEPINTVL
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
#endif
#ifdef TCP_KEEPCNT
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
#endif
}

int poll_for(std::span<pollfd> fds, std::chrono::nanoseconds limit) {
#ifdef SSE_LINUX
    const auto seconds = std::chrono::floor<std::chrono::seconds>(limit);
    const timespec time{static_cast<time_t>(seconds.count()),
                        static_cast<long>((limit - seconds).count())};
    return ::ppoll(fds.data(), fds.size(), &time, nullptr);
#else
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    return ::poll(fds.data(), static_cast<nfds_t>(fds.size()),
                  static_cast<int>(std::min<std::int64_t>(left, INT_MAX)));
#endif
}

bool end_with_parent(pid_t parent) {
#if defined(SSE_LINUX)
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
#elif defined(__FreeBSD__)
    int signal = SIGTERM;
    ::procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signal);
#endif
    return ::getppid() == parent;
}

bool is_only_user(uid_t user) {
#if defined(SSE_LINUX) || defined(__FreeBSD__)
    uid_t real = 0, effective = 0, saved = 0;
    return ::getresuid(&real, &effective, &saved) == 0 && real == user && effective == user &&
           saved == user;
#else
    return ::getuid() == user && ::geteuid() == user;
#endif
}

bool forbid_new_privileges() {
#if defined(SSE_LINUX) && defined(PR_SET_NO_NEW_PRIVS)
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
#else
    return false;
#endif
}

std::optional<std::chrono::nanoseconds> run_delay() {
#ifdef SSE_LINUX
    thread_local const Descriptor file(::open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC));
    std::array<char, 96> text{}; // time on a processor, time waiting for one, number of slices
    const auto size = file.get() < 0 ? 0 : ::pread(file.get(), text.data(), text.size(), 0);
    const auto* const end = text.data() + std::max<ssize_t>(size, 0);
    const auto* const second = std::find(text.data(), const_cast<char*>(end), ' ');
    std::int64_t ns = 0;
    if (second != end && std::from_chars(second + 1, end, ns).ec == std::errc())
        return std::chrono::nanoseconds(ns);
#endif
    return std::nullopt;
}

std::optional<std::uint64_t> resident_bytes() {
#ifdef __APPLE__
    mach_task_basic_info info{};
    mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
    if (::task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info),
                    &count) == KERN_SUCCESS)
        return info.resident_size;
#else
    std::uint64_t pages = 0, resident = 0; // a file of Linux, and of others that have its /proc
    if (std::ifstream("/proc/self/statm") >> pages >> resident)
        return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
#endif
    return std::nullopt;
}

std::from_chars_result parse_double(const char* begin, const char* end, double& value) {
#if defined(__cpp_lib_to_chars) && !defined(SSE_PORTABLE)
    return std::from_chars(begin, end, value);
#else
    // The number that from_chars() takes: without a sign `+`, spaces or hexadecimal digits.
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto digits_from = [&](const char* at) { return std::find_if_not(at, end, is_digit); };
    const char* const whole = begin != end && *begin == '-' ? begin + 1 : begin;
    const char* stop = digits_from(whole);
    auto count = stop - whole;
    if (stop != end && *stop == '.') {
        const char* const fraction = stop + 1;
        const char* const after = digits_from(fraction);
        count += after - fraction;
        if (count > 0) stop = after;
    }
    if (count == 0) return {begin, std::errc::invalid_argument};
    if (stop != end && (*stop == 'e' || *stop == 'E')) {
        const bool is_signed = stop + 1 != end && (stop[1] == '-' || stop[1] == '+');
        const char* const exponent = stop + (is_signed ? 2 : 1);
        if (exponent < end && is_digit(*exponent)) stop = digits_from(exponent);
    }
    // strtod() needs an end; the decimal point is that of the "C" locale, which nothing changes.
    errno = 0;
    const double parsed = std::strtod(std::string(begin, stop).c_str(), nullptr);
    if (errno == ERANGE) return {stop, std::errc::result_out_of_range};
    value = parsed;
    return {stop, std::errc()};
#endif
}

} // namespace sse
