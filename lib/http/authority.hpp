// The HOST:PORT of a request or an origin, and which names mean this machine. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// A host and port in comparable form: the host in lower case, without brackets and without a
/// trailing dot, an IPv6 address in its canonical form.
struct Authority {
    std::string host;
    int port = -1; ///< -1 for none

    /// Parses `HOST`, `HOST:PORT`, `[V6]:PORT`. nullopt for anything else: user information, an
    /// empty or overlong port, a byte that no name has.
    static std::optional<Authority> parse(std::string_view text);

    /// localhost, *.localhost (RFC 6761, 6.3), 127.0.0.0/8, ::1.
    bool is_loopback() const;
};

/// A web origin (RFC 6454): a scheme and an authority, which has a port for http and https.
struct Origin {
    std::string scheme;
    Authority authority;

    /// Parses `SCHEME://HOST[:PORT]`. nullopt for anything else, `null` included.
    static std::optional<Origin> parse(std::string_view text);
    bool operator==(const Origin& other) const;
};

/// 80 for http, 443 for https, else -1.
int default_port(std::string_view scheme);

} // namespace sse
