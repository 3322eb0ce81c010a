// Where a stream is: an http or https URL, as people and Location fields write it (RFC 3986, with
// the leniency of curl). Not a resolver, and not a general URL library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

struct Url {
    bool tls = false;           ///< https
    std::string user, password; ///< of the user info, percent-decoded; never part of text()
    bool has_user = false;      ///< there was an `@`
    std::string host;           ///< lowercase ASCII; an IPv6 address without its brackets
    std::uint16_t port = 80;
    std::string target = "/"; ///< path and query as they go into the request line; no fragment

    /// Reads what a person typed. No scheme means http, no host (`:8080`) means localhost. Throws
    /// Error (invalid_argument) that quotes it: another scheme, no host, a port over 65535,
    /// white space or control bytes, a host that is not ASCII.
    static Url parse(std::string_view typed);

    /// What `location`, the value of a Location field, means seen from here (RFC 3986, 5.2).
    /// Spaces and bytes over 0x7F in it are percent-encoded; user info in it is not taken over.
    /// Throws Error (http_status) where it cannot be followed.
    Url resolve(std::string_view location) const;

    /// `host`, and `:port` unless it is the scheme's own: for the Host field.
    std::string authority() const;
    /// `host:port`, always with the port: for CONNECT, and for messages about connecting.
    std::string endpoint() const;
    /// The URL again, without user info: for messages and recordings.
    std::string text() const;

    friend bool operator==(const Url&, const Url&) = default;
};

/// Scheme, host and port are the same (RFC 6454): what credentials are bound to.
bool same_origin(const Url& a, const Url& b);

} // namespace sse
