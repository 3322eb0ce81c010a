// A listener as its sessions see it: who answers there, and what is kept of who came.
#pragma once

#include "server/guard.hpp"
#include "server/handler.hpp"

namespace sse {

class AccessLog;
class AddressCounts;
class TlsServer;

/// Lives as long as the server; the same for all loops, and not changed once the server runs.
struct ListenerContext {
    Handler* handler = nullptr;
    const GuardOptions* guard = nullptr;
    AccessLog* log = nullptr;           ///< told of every connection at its end
    TlsServer* tls = nullptr;           ///< nullptr: plain HTTP
    AddressCounts* addresses = nullptr; ///< nullptr: they are not counted
    bool loopback = false;              ///< only this machine reaches it
    /// For those who run the server: not counted as clients, and served until the last of these has
    /// gone, while the server drains.
    bool admin = false;
};

} // namespace sse
