// Which proxy a request goes through, as curl has it. Pure: reads no environment, opens nothing.
#pragma once

#include "http/url.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// As people write them: `http://USER:PASSWORD@HOST:PORT`, `HOST`; "" is none.
struct ProxyOptions {
    std::string http, https; ///< for the URLs of each scheme
    std::string except;      ///< hosts without: see goes_without()
};

/// Reads `[http://][USER[:PASSWORD]@]HOST[:PORT]`; the port is 1080 where none is named, as curl's.
/// Throws Error (invalid_argument) that quotes it, its password left out: another scheme, no host.
Url parse_proxy(std::string_view text);

/// True if `list` (NO_PROXY) names `host`: `*`, or names and addresses between commas or spaces. A
/// name stands also for all that end in `.` and it; an address may have a prefix (10.0.0.0/8).
bool goes_without(std::string_view list, std::string_view host);

/// The proxy for `url`; nullopt for none. Throws as parse_proxy().
std::optional<Url> proxy_for(const Url& url, const ProxyOptions& options);

/// The value of Proxy-Authorization for the user info of `proxy`; "" if it has none.
std::string proxy_authorization(const Url& proxy);

} // namespace sse
