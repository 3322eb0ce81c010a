// Connected sockets: their addresses, the options that we set, and its bytes. Every
// call here is non-blocking. Not listening (listening_socket), not connecting (dial).
#pragma once

#include "net/ip_address.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sse {

/// Raises the process's soft limit of descriptors to the hard one; returns the limit.
std::size_t raise_descriptor_limit();

/// The process cannot open two more descriptors.
bool out_of_descriptors();

/// The addresses of both ends; nullopt for a unix socket, or when the peer is gone.
std::optional<IpAddress> peer_ip(int fd);
std::optional<IpAddress> local_ip(int fd);
/// The peer's address without its port as text; "unix" for a unix socket, "gone" if it is gone.
std::string peer_address(int fd);
/// Sends small writes at once (TCP_NODELAY).
void disable_nagle(int fd);
/// Bounds the bytes that the kernel keeps for the peer beyond those on their way to it, where the
/// system can (TCP_NOTSENT_LOWAT).
void limit_unsent(int fd, std::size_t bytes);

/// What a transfer did: moved `bytes`, or none because of `again` (it would block) or `closed`.
struct Transfer {
    std::size_t bytes = 0;
    bool again = false, closed = false;
    bool timed_out = false; ///< closed, because the peer did not acknowledge for too long
    int error = 0;          ///< closed: why, as an errno; 0 if the peer ended the connection
};
/// Of what a system call returned: a number of bytes, or a negative errno.
Transfer transfer_of(std::ptrdiff_t moved);
Transfer send_some(int fd, std::span<const std::string_view> views);
Transfer receive_some(int fd, std::span<char> into);

} // namespace sse
