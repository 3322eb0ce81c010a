// An http or https URL, as people and Location fields write it (RFC 3986, as lenient as curl). Not
// a resolver, and not a general URL library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sse {

struct Url {
    bool tls = false;           ///< https
    std::string user, password; ///< of the user info, percent-decoded; not part of text()
    bool has_user = false;      ///< there was an `@`
    std::string host;           ///< lowercase ASCII; an IPv6 address without its brackets
    std::uint16_t port = 80;
    std::string target = "/"; ///< path and query, as in the request line; no fragment

    /// Parses a URL as a person types it: without a scheme it is http, without a host (`:8080`)
    /// localhost. Throws Error (invalid_argument) that quotes it, masked: another scheme, no host,
    /// a port over 65535, white space or control bytes, a host that is not ASCII.
    static Url parse(std::string_view typed);

    /// The URL that `location`, the value of a Location field, refers to (RFC 3986, 5.2). Spaces
    /// and bytes over 0x7F in it are percent-encoded; its user info is ignored. Throws Error
    /// (http_status, Reason::redirect) if it is not an http or https URL.
    Url resolve(std::string_view location) const;

    /// `host`, and `:port` unless it is the scheme's default: for the Host field.
    std::string authority() const;
    /// `host:port`, always with the port: for CONNECT, and for messages about connections.
    std::string endpoint() const;
    /// The whole URL without user info: for requests to a proxy and as a key. May hold secrets.
    std::string text() const;
    /// text() with secrets masked: for messages, statistics and anything else that is kept.
    std::string shown() const;

    friend bool operator==(const Url&, const Url&) = default;
};

/// True if scheme, host and port are equal (RFC 6454, 5): credentials go to one origin only.
bool same_origin(const Url& a, const Url& b);

} // namespace sse
