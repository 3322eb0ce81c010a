// The HOST:PORT of a request or an origin, and which names are this machine's own. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// A host and port, comparable: the host in lower case, without brackets and without the dot that
/// ends a full name, an IPv6 address in its one canonical form.
struct Authority {
    std::string host;
    int port = -1; ///< -1: none was named

    /// Parses `HOST`, `HOST:PORT`, `[V6]:PORT`. nullopt for what is none of these: user
    /// information, an empty or overlong port, a byte that no name has.
    static std::optional<Authority> parse(std::string_view text);

    /// localhost, *.localhost (RFC 6761, 6.3), 127.0.0.0/8, ::1.
    bool is_loopback() const;
};

/// A web origin (RFC 6454): a scheme and an authority, its port always there for http and https.
struct Origin {
    std::string scheme;
    Authority authority;

    /// Parses `SCHEME://HOST[:PORT]` and nothing behind it. nullopt for all else, `null` included.
    static std::optional<Origin> parse(std::string_view text);
    bool operator==(const Origin& other) const;
};

/// 80 for http, 443 for https, else -1.
int default_port(std::string_view scheme);

} // namespace sse
