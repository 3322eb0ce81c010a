// What the connections of one listener share: who answers them, and how they are judged and logged.
#pragma once

#include "net/ip_address.hpp"
#include "server/guard.hpp"
#include "server/handler.hpp"

#include <optional>

namespace sse {

class AccessLog;
class AddressCounts;
class BodyBudget;
class TlsServer;

/// Lives as long as the server, is the same for all loops, and does not change once it runs.
struct ListenerContext {
    Handler* handler = nullptr;
    const GuardOptions* guard = nullptr;
    AccessLog* log = nullptr;           ///< nullptr: connections are not logged
    TlsServer* tls = nullptr;           ///< nullptr: plain HTTP
    AddressCounts* addresses = nullptr; ///< nullptr: addresses are not counted
    BodyBudget* bodies = nullptr;       ///< nullptr: no bound on all bodies together
    bool all_interfaces = false;        ///< bound to the unspecified address
    /// The local address of all connections; nullopt if it is of each.
    std::optional<IpAddress> local;
    /// For the operator: its connections are not clients, and are served until the last client is
    /// gone while the server drains.
    bool admin = false;
};

} // namespace sse
