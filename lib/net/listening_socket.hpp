// Sockets that listen: addresses as people write them, bound. Not accepting: see Acceptor.
#pragma once

#include "base/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sse {

struct SocketOptions {
    /// Connections that wait to be accepted; the kernel cuts it to net.core.somaxconn.
    int backlog = 4096;
    /// Permissions of a unix socket, as chmod has them; nullopt: as the umask leaves them.
    std::optional<unsigned> mode;
};

/// One socket that listens.
struct ListeningSocket {
    Descriptor socket;
    std::string url; ///< "http://127.0.0.1:8080/", or "unix:/path": as this machine reaches it
    bool loopback = false;       ///< only this machine reaches it
    bool all_interfaces = false; ///< bound to the unspecified address
    std::string unlink;          ///< path of a unix socket that is ours to remove; "": none
    std::uint64_t inode = 0;     ///< of that path when it was made
};

/// Binds and listens on `address`: `HOST:PORT`, `[V6]:PORT`, `:PORT` for all interfaces, `PORT` for
/// loopback, `unix:/path`. A host name listens on each of its addresses. Throws Error
/// (invalid_argument, resolve) and std::system_error; the texts hold `address` as it was given.
std::vector<ListeningSocket> listen_on(const std::string& address, SocketOptions options = {});
/// Takes ownership of a descriptor that listens already. Throws Error (invalid_argument) if it is
/// not a listening stream socket.
ListeningSocket adopt_listening_socket(int fd);
/// Removes the path of a unix socket, unless another server has put its own there since.
void remove_path(const std::string& path, std::uint64_t inode);

} // namespace sse
