#include "net/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>

namespace sse {

namespace {

constexpr std::array<unsigned char, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

} // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    const std::string given(text);
    IpAddress address;
    if (given.find('\0') != given.npos) return std::nullopt;
    if (::inet_pton(AF_INET6, given.c_str(), address.bytes_.data()) == 1) return address;
    std::copy(v4_prefix.begin(), v4_prefix.end(), address.bytes_.begin());
    if (::inet_pton(AF_INET, given.c_str(), &address.bytes_[12]) == 1) return address;
    return std::nullopt;
}

std::optional<IpAddress> IpAddress::from(const sockaddr_storage& name) {
    IpAddress address;
    if (name.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(name).sin6_addr;
        std::memcpy(address.bytes_.data(), v6.s6_addr, address.bytes_.size());
        return address;
    }
    if (name.ss_family != AF_INET) return std::nullopt;
    std::copy(v4_prefix.begin(), v4_prefix.end(), address.bytes_.begin());
    std::memcpy(&address.bytes_[12], &reinterpret_cast<const sockaddr_in&>(name).sin_addr, 4);
    return address;
}

bool IpAddress::is_v4() const {
    return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes_.begin());
}

std::string IpAddress::text() const {
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (is_v4()) ::inet_ntop(AF_INET, &bytes_[12], out.data(), out.size());
    else ::inet_ntop(AF_INET6, bytes_.data(), out.data(), out.size());
    return out.data();
}

bool IpAddress::is_loopback() const {
    if (is_v4()) return bytes_[12] == 127;
    return std::all_of(bytes_.begin(), bytes_.end() - 1, [](auto byte) { return byte == 0; }) &&
           bytes_.back() == 1;
}

bool IpAddress::is_unspecified() const {
    const auto begin = is_v4() ? bytes_.begin() + 12 : bytes_.begin();
    return std::all_of(begin, bytes_.end(), [](auto byte) { return byte == 0; });
}

bool IpAddress::is_private() const {
    const auto first = bytes_[is_v4() ? 12 : 0], second = bytes_[is_v4() ? 13 : 1];
    if (!is_v4()) return (first & 0xFE) == 0xFC || (first == 0xFE && (second & 0xC0) == 0x80);
    return first == 10 || (first == 172 && (second & 0xF0) == 16) ||
           (first == 192 && second == 168) || (first == 169 && second == 254) ||
           (first == 100 && (second & 0xC0) == 64);
}

std::uint64_t IpAddress::customer_key() const {
    std::array<unsigned char, 8> prefix{0xFF}; // a multicast network, which no peer is in
    if (is_v4()) std::memcpy(&prefix[4], &bytes_[12], 4);
    else std::memcpy(prefix.data(), bytes_.data(), prefix.size());
    std::uint64_t key = 0;
    std::memcpy(&key, prefix.data(), sizeof key);
    return key == 0 ? 1 : key; // ::1 is of the network ::/64
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpNetwork network;
    network.address_ = *address;
    if (slash == text.npos) return network;
    const auto digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto* const end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, bits);
    const bool v4 = text.substr(0, slash).find(':') == text.npos;
    if (parsed.ec != std::errc() || parsed.ptr != end || bits > (v4 ? 32u : 128u))
        return std::nullopt;
    network.bits_ = v4 ? bits + 96 : bits;
    return network;
}

bool IpNetwork::contains(const IpAddress& address) const {
    const auto whole = bits_ / 8, rest = bits_ % 8;
    if (!std::equal(address_.bytes_.begin(), address_.bytes_.begin() + whole,
                    address.bytes_.begin())) {
        return false;
    }
    if (rest == 0) return true;
    const auto mask = static_cast<unsigned char>(0xFF << (8 - rest));
    return ((address_.bytes_[whole] ^ address.bytes_[whole]) & mask) == 0;
}

} // namespace sse
