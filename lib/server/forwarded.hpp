// The address of a client behind proxies: X-Forwarded-For, and Forwarded (RFC 7239). Pure.
#pragma once

#include "http/head.hpp"
#include "net/ip_address.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Proxies whose forwarding headers are believed. None by default: anybody can send the headers.
struct TrustedProxies {
    std::vector<IpNetwork> networks;
    bool unix_sockets = false; ///< every peer of a unix socket

    bool empty() const { return networks.empty() && !unix_sockets; }
    /// `peer` as peer_address() gives it.
    bool trusts(std::string_view peer) const;
};

/// The client's address for a request with that head from `peer`: `peer` itself, or if it is a
/// trusted proxy, the address nearest to it in X-Forwarded-For (without that, in Forwarded) that is
/// not a trusted proxy too. An entry that is not an address ends the search at the proxy before it.
std::string client_address(const Head& head, const std::string& peer,
                           const TrustedProxies& proxies);

} // namespace sse
