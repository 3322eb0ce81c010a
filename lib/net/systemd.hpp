// What a service manager hands to a process, and what it wants to hear: sd_listen_fds(3) and
// sd_notify(3), without their library. The environment is passed in.
#pragma once

#include "net/socket.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// The descriptors that were passed: 3, 4, ...
struct PassedSockets {
    const char* count = nullptr; ///< LISTEN_FDS
    const char* pid = nullptr;   ///< LISTEN_PID: whom they are for
    const char* names = nullptr; ///< LISTEN_FDNAMES, separated by colons
};

/// Takes over the passed sockets whose name is `admin` (`for_admin`), or all the others; none if
/// they were meant for another process. Throws Error (invalid_argument) if one is no stream socket
/// that listens.
std::vector<Listening> take_passed(const PassedSockets& passed, bool for_admin);

/// Sends `state` (`READY=1`) to the manager that listens on the datagram socket `path`; `@` begins
/// an abstract one. nullptr: there is none. False if it could not be told.
bool notify(const char* path, std::string_view state);

} // namespace sse
