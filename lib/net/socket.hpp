// Listening and accepted sockets: addresses as people write them, and the options that we set. The
// one file of the server that talks to the system's socket calls; it waits for nothing.
#pragma once

#include "base/descriptor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct SocketOptions {
    /// Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn.
    int backlog = 4096;
    /// Permissions of a unix socket, as chmod has them; nullopt: as the umask leaves them.
    std::optional<unsigned> mode;
};

/// One socket that listens.
struct Listening {
    Descriptor socket;
    std::string url; ///< "http://127.0.0.1:8080/", or "unix:/path": as this machine reaches it
    bool loopback = false;   ///< only this machine reaches it
    bool everywhere = false; ///< every network does that this machine is on
    std::string unlink;      ///< path of a unix socket that is ours to remove
    std::uint64_t inode = 0; ///< of that path, as long as it is ours
};

/// Binds and listens on `address`: `HOST:PORT`, `[V6]:PORT`, `:PORT` for all interfaces, `PORT` for
/// loopback, `unix:/path`. A host name listens on each of its addresses. Throws Error
/// (invalid_argument, resolve) and std::system_error; the texts hold `address` as it was given.
std::vector<Listening> listen_on(const std::string& address, SocketOptions options = {});
/// Takes over a descriptor that listens already. Throws Error (invalid_argument) if it is no stream
/// socket that does.
Listening listening_from(int fd);
/// Removes the path of a unix socket, unless another server has put its own there since.
void remove_path(const std::string& path, std::uint64_t inode);

/// Raises the process's limit of descriptors as far as it may go; returns the limit.
std::size_t raise_descriptor_limit();

/// Takes the next connection, non-blocking and closed on exec. Throws nothing: -1, and errno.
int accept_on(int listening);
/// The peer's address without its port; "unix" for a unix socket.
std::string peer_of(int fd);
/// A number for the peer's address, equal for peers of one IPv6 network of 64 bits; 0 for a unix
/// socket, and where nothing is known.
std::uint64_t peer_key(int fd);
/// Small writes are not held back for company.
void send_at_once(int fd);
/// The socket takes no more once it holds `bytes` that are not on their way yet (where the system
/// can; else it takes what it likes).
void limit_unsent(int fd, std::size_t bytes);

/// Bytes that have been sent and that the peer has not acknowledged; 0 where the system cannot
/// tell.
std::size_t queued_bytes(int fd);

/// What a transfer did: bytes moved, or 0 and `again` (would block), `closed` or `error`.
struct Transfer {
    std::size_t bytes = 0;
    bool again = false, closed = false;
    bool timed_out = false; ///< closed, because the peer did not acknowledge for too long
};
Transfer send_some(int fd, std::span<const std::string_view> views);
Transfer receive_some(int fd, std::span<char> into);

} // namespace sse
