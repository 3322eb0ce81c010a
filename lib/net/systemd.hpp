// The protocols of a service manager: socket activation (sd_listen_fds(3)) and notification
// (sd_notify(3)), without libsystemd. The environment is passed in.
#pragma once

#include "net/listening_socket.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// The variables of socket activation; the descriptors are 3, 4, ...
struct PassedSockets {
    const char* count = nullptr; ///< LISTEN_FDS
    const char* pid = nullptr;   ///< LISTEN_PID: the process they are for
    const char* names = nullptr; ///< LISTEN_FDNAMES, separated by colons
};

/// Takes ownership of the passed sockets whose name is `admin` (`for_admin`), or of all the others;
/// of none if they are for another process. Throws Error (invalid_argument) if one is not a
/// listening stream socket.
std::vector<ListeningSocket> adopt_passed_sockets(const PassedSockets& passed, bool for_admin);

/// Sends `state` (`READY=1`) to the datagram socket `path` of the service manager; a leading `@`
/// marks an abstract one. False if `path` is nullptr or the state could not be sent.
bool notify(const char* path, std::string_view state);

/// How often the watchdog of the service manager wants to be notified: half of WATCHDOG_USEC, if
/// WATCHDOG_PID is this process or nullptr. nullopt if there is no watchdog.
std::optional<std::chrono::microseconds> watchdog_interval(const char* usec, const char* pid);

} // namespace sse
