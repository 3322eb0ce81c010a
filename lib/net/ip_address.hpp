// IP addresses and networks: text, comparison, membership. Not a socket address: there is no port.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr_storage;

namespace sse {

/// An IPv4 or IPv6 address. An IPv4 address and its IPv4-mapped IPv6 form are the same.
class IpAddress {
public:
    /// Parses `192.0.2.1` or `2001:db8::1`, without brackets, port or zone.
    static std::optional<IpAddress> parse(std::string_view text);
    /// nullopt if `name` is no IP address.
    static std::optional<IpAddress> from(const sockaddr_storage& name);

    std::string text() const;
    bool is_v4() const;
    bool is_loopback() const;    ///< 127.0.0.0/8, ::1
    bool is_unspecified() const; ///< 0.0.0.0, ::
    /// Not reachable from the internet: private (RFC 1918), shared (RFC 6598), link-local and
    /// unique local (RFC 4193) networks.
    bool is_private() const;
    /// A number that is equal for the addresses of one customer: one IPv4 address, or one IPv6
    /// network of 64 bits. Never 0.
    std::uint64_t customer_key() const;
    bool operator==(const IpAddress& other) const { return bytes_ == other.bytes_; }

private:
    friend class IpNetwork;
    std::array<unsigned char, 16> bytes_{}; ///< network order; IPv4 as ::ffff:a.b.c.d
};

/// The addresses that begin with the same bits.
class IpNetwork {
public:
    /// Parses `10.0.0.0/8`, `2001:db8::/32`, or an address alone.
    static std::optional<IpNetwork> parse(std::string_view text);
    bool contains(const IpAddress& address) const;

private:
    IpAddress address_;
    unsigned bits_ = 128; ///< of the 128
};

} // namespace sse
