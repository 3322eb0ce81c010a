// From a host and a port to a connected socket. Not TLS, not HTTP.
#pragma once

#include "base/error.hpp"
#include "base/interrupt.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sse {

/// Thrown by what waits, when the Interrupt was raised. Not an Error: nothing failed.
struct Interrupted {};

/// Which addresses may be used.
enum class Family : std::uint8_t { any, v4, v6 };

/// Connects to `address` whenever `host` and `port` are asked for (curl's --resolve).
struct HostAddress {
    std::string host;
    std::uint16_t port = 0;
    std::string address;
};

struct DialOptions {
    std::string unix_socket; ///< connects there, whatever the URL's host; "" for TCP
    std::vector<HostAddress> addresses;
    Family family = Family::any;
    /// For the name, all addresses and TLS together. As long as a person waits; curl's 5 minutes
    /// are for transfers nobody watches. nullopt: for ever.
    std::optional<std::chrono::milliseconds> connect_timeout{30'000};
    /// When a connection that is begun now must be there.
    Interrupt::Clock::time_point limit() const {
        using Clock = Interrupt::Clock;
        return connect_timeout ? Clock::now() + *connect_timeout : Clock::time_point::max();
    }
    /// Starts with the next address when the one before has not answered (RFC 8305).
    std::chrono::milliseconds next_address{250};
    /// Idle time after which the kernel asks whether the peer is there, and how often it asks
    /// again; four answers missing end the connection: a dead peer is noticed within two minutes.
    std::chrono::seconds keepalive_idle{60}, keepalive_interval{15};
};

/// Resolves `host` and connects to `port` on one of its addresses. Returns a non-blocking
/// descriptor that the caller closes; `resolved` gets the time between the two. Throws Error
/// (resolve, connect, timeout), Interrupted.
int dial(const std::string& host, std::uint16_t port, const DialOptions& options,
         Interrupt& interrupt, Interrupt::Clock::time_point limit,
         Interrupt::Clock::time_point& resolved);

/// The same for a unix socket.
int dial_unix(const std::string& path, Interrupt& interrupt, Interrupt::Clock::time_point limit);

} // namespace sse
