// System calls that not every system has: each does one thing that Linux has a call for, and that
// other systems do in several steps, by other names, or not at all. SSE_PORTABLE chooses the plain
// way on Linux, too, so that it can be tested there. Not sockets (net) nor file notifications
// (input/file_notifier).
#pragma once

#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <sys/socket.h>
#include <sys/types.h>

#if defined(__linux__) && !defined(SSE_PORTABLE)
#define SSE_LINUX
#endif

namespace sse {

// ---- descriptors: -1 or false with errno set on failure; all are closed on exec ----

/// A pipe: its read end, then its write end.
bool make_pipe(int (&ends)[2], bool nonblocking);
/// Two unix stream sockets that are connected with each other.
bool make_socket_pair(int (&ends)[2], bool nonblocking);
int make_socket(int family, int type, bool nonblocking);
/// The next connection of a listening socket, non-blocking.
int accept_socket(int listening);
/// It has the TCP options of the listening socket.
extern const bool accepted_inherits_options;
/// A descriptor that only has its number: nothing can be read from it or written to it. Needs no
/// file, so that it exists in an empty root directory as well.
int make_placeholder();
/// The file of `fd`, opened anew with `flags`.
int open_again(int fd, int flags);
/// Returns once the bytes of a file, and its size, are on the disk.
bool sync_data(int fd);
/// Asks the system to read only the parts of a file that are read, and not ahead of them.
void expect_random_reads(int fd);
/// A path that names the file of `fd` even after it is removed; nullopt where there is none.
std::optional<std::string> path_of(int fd);

// ---- sockets ----

/// The flag of send() that prevents SIGPIPE; 0 where make_socket() and accept_socket() prevent it.
extern const int no_sigpipe;
/// recvmsg() of a message that may bring descriptors, which are closed on exec.
ssize_t receive_message(int socket, msghdr& message);
/// Bytes that have been sent and that the peer has not acknowledged; 0 where the system cannot
/// tell.
std::size_t queued_bytes(int fd);
/// Probes a silent peer after `idle` and then every `interval`, `probes` times.
void keep_alive(int fd, std::chrono::seconds idle, std::chrono::seconds interval, int probes);

// ---- time ----

/// poll() with a limit in nanoseconds, or in milliseconds, rounded up, where the system has no
/// more.
int poll_for(std::span<pollfd> fds, std::chrono::nanoseconds limit);

// ---- the process ----

/// The calling process, a child of `parent`, receives SIGTERM when that ends, where the system can
/// do it. False if `parent` has ended already. Async-signal-safe.
bool end_with_parent(pid_t parent);
/// The real, effective and, where the system tells it, saved user ID are `user`.
bool is_only_user(uid_t user);
/// No program that this thread, or a thread it starts from now on, executes gains privileges
/// (PR_SET_NO_NEW_PRIVS). False where the system cannot.
bool forbid_new_privileges();
/// Memory that the process has resident; nullopt where the system does not tell.
std::optional<std::uint64_t> resident_bytes();

// ---- numbers ----

/// std::from_chars() for a floating-point number, which not every standard library has.
std::from_chars_result parse_double(const char* begin, const char* end, double& value);

} // namespace sse
