// Connects a socket to a host and port, or to a unix socket. No TLS, no HTTP.
#pragma once

#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sse {

/// Thrown by functions that wait when the Interrupt is raised. Not an Error: nothing failed.
struct Interrupted {};

/// Which addresses may be used.
enum class Family : std::uint8_t { any, v4, v6 };

/// Connects to `address` instead of resolving `host`, for `port` (--resolve of curl).
struct HostAddress {
    std::string host;
    std::uint16_t port = 0;
    std::string address;
};

struct DialOptions {
    std::string unix_socket; ///< connects there, whatever the URL's host; "" for TCP
    std::vector<HostAddress> addresses;
    Family family = Family::any;
    /// For name resolution, all addresses and TLS together. As long as a person waits; curl's 5
    /// minutes are for transfers nobody watches. nullopt: unlimited.
    std::optional<std::chrono::milliseconds> connect_timeout{30'000};
    /// The deadline of a connection that is started now.
    Interrupt::Clock::time_point limit() const {
        using Clock = Interrupt::Clock;
        return connect_timeout ? Clock::now() + *connect_timeout : Clock::time_point::max();
    }
    /// Delay before the next address is tried as well (RFC 8305, "Connection Attempt Delay").
    std::chrono::milliseconds next_address{250};
    /// TCP keepalive: idle time before the first probe, and time between probes. Four unanswered
    /// probes end the connection, so a dead peer is noticed within two minutes.
    std::chrono::seconds keepalive_idle{60}, keepalive_interval{15};
};

/// Resolves `name` and connects to `port` on one of its addresses. Returns a non-blocking
/// descriptor that the caller closes; sets `resolved` to when the addresses were known. Throws
/// Error (resolve, connect, timeout), Interrupted.
int dial(const std::string& name, std::uint16_t port, const DialOptions& options,
         Interrupt& interrupt, Interrupt::Clock::time_point limit,
         Interrupt::Clock::time_point& resolved);

/// Connects to the unix socket `path` in the same way.
int dial_unix(const std::string& path, Interrupt& interrupt, Interrupt::Clock::time_point limit);

} // namespace sse
