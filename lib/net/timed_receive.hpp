// Receives bytes of a socket with the time at which the kernel had them: a reader that is late does
// not take its own lateness for that of the sender.
#pragma once

#include "net/socket.hpp"

#include <chrono>
#include <span>

namespace sse {

/// Asks the kernel for the times of what `fd` will receive. False where it has none: for a unix
/// socket, and on systems other than Linux.
bool enable_arrival_times(int fd);

struct TimedTransfer : Transfer {
    /// When the newest of the bytes arrived, since 1970 on the system's clock; 0 if it is not
    /// known. What waited in the socket together may have arrived at different times before.
    std::chrono::nanoseconds arrived{0};
};

/// receive_some() with the time. `peek`: leaves the bytes in the socket.
TimedTransfer receive_timed(int fd, std::span<char> into, bool peek = false);

} // namespace sse
