// Chooses the proxy of a request, by the rules of curl. Reads no environment and opens no
// connection.
#pragma once

#include "http/url.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// Proxies as people write them: `http://USER:PASSWORD@HOST:PORT`, `HOST`; "" for none.
struct ProxyOptions {
    std::string http, https; ///< for the URLs of each scheme
    std::string no_proxy;    ///< hosts to connect to directly: see bypasses_proxy()
};

/// Parses `[http://][USER[:PASSWORD]@]HOST[:PORT]`; the default port is 1080, as in curl. Throws
/// Error (invalid_argument) that quotes it without user info: another scheme, no host.
Url parse_proxy(std::string_view text);

/// True if `list` (NO_PROXY) matches `host` and `port`. It is `*`, or entries between commas or
/// spaces: a name, which also matches its subdomains; `*.NAME`, the subdomains alone; an address,
/// or a prefix of addresses (10.0.0.0/8). A name or an address may have a port behind it, and then
/// matches that port only: `NAME:8080`, `[::1]:8080`.
bool bypasses_proxy(std::string_view list, std::string_view host, std::uint16_t port);

/// The proxy for `url`; nullopt for a direct connection. Throws as parse_proxy().
std::optional<Url> proxy_for(const Url& url, const ProxyOptions& options);

} // namespace sse
