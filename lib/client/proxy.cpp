#include "client/proxy.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "http/head.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace sse {

namespace {

constexpr std::uint16_t default_proxy_port = 1080;

/// `text` without user info, for an error.
std::string without_user(std::string_view text) {
    const auto at = text.rfind('@');
    if (at == text.npos) return printable(text, 100);
    const auto scheme = text.find("://");
    return printable(scheme == text.npos ? "" : text.substr(0, scheme + 3)) + "***@" +
           printable(text.substr(at + 1), 100);
}

bool names_port(std::string_view text) {
    text = text.substr(0, text.find_first_of("/?#"));
    text = text.substr(text.rfind('@') + 1); // npos + 1 is 0
    const auto bracket = text.rfind(']');
    return text.find(':', bracket == text.npos ? 0 : bracket) != text.npos;
}

struct Bits {
    std::array<unsigned char, 16> bytes{};
    unsigned count = 0; ///< 32, 128, or 0 for no address
};

Bits address_bits(std::string_view text) {
    if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
    const std::string copy(text);
    Bits bits;
    if (::inet_pton(AF_INET, copy.c_str(), bits.bytes.data()) == 1) bits.count = 32;
    else if (::inet_pton(AF_INET6, copy.c_str(), bits.bytes.data()) == 1) bits.count = 128;
    return bits;
}

bool in_prefix(const Bits& host, const Bits& net, unsigned length) {
    if (host.count != net.count || length > net.count) return false;
    if (std::memcmp(host.bytes.data(), net.bytes.data(), length / 8) != 0) return false;
    const auto rest = length % 8;
    return rest == 0 || ((host.bytes[length / 8] ^ net.bytes[length / 8]) >> (8 - rest)) == 0;
}

/// Takes `:PORT` off the end of an entry; false if it names another port than `port`.
bool take_port(std::string_view& entry, std::uint16_t port) {
    const auto colon = entry.rfind(':');
    if (colon == entry.npos) return true;
    const bool bracketed = entry.starts_with('[');
    if (bracketed ? entry[colon - 1] != ']' : entry.find(':') != colon) return true; // IPv6
    const auto digits = entry.substr(colon + 1);
    entry = entry.substr(0, colon);
    std::uint16_t number = 0;
    const auto end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    return error == std::errc() && stop == end && number == port;
}

/// True if `entry`, one of NO_PROXY, matches.
bool covers(std::string_view entry, std::string_view host, std::uint16_t port) {
    if (!take_port(entry, port)) return false;
    if (const auto address = address_bits(host); address.count > 0) {
        const auto slash = entry.find('/');
        const auto net = address_bits(entry.substr(0, slash));
        unsigned length = net.count;
        if (slash != entry.npos) {
            const auto digits = entry.substr(slash + 1);
            const auto end = digits.data() + digits.size();
            const auto [stop, error] = std::from_chars(digits.data(), end, length);
            if (error != std::errc() || stop != end) return false;
        }
        return net.count > 0 && in_prefix(address, net, length);
    }
    const bool subdomains_only = entry.starts_with("*.");
    if (subdomains_only) entry.remove_prefix(2);
    else if (entry.starts_with('.')) entry.remove_prefix(1);
    if (entry.ends_with('.')) entry.remove_suffix(1);
    if (host.ends_with('.')) host.remove_suffix(1);
    if (entry.empty() || entry.size() > host.size()) return false;
    if (!same_name(host.substr(host.size() - entry.size()), entry)) return false;
    if (entry.size() == host.size()) return !subdomains_only;
    return host[host.size() - entry.size() - 1] == '.';
}

} // namespace

Url parse_proxy(std::string_view text) {
    const auto refuse = [&](std::string_view why) {
        throw Error(Errc::invalid_argument,
                    fmt::format("\"{}\" is not a proxy: {}", without_user(text), why));
    };
    auto rest = text;
    if (const auto end = rest.find("://"); end != rest.npos) {
        if (!same_name(rest.substr(0, end), "http"))
            refuse(fmt::format("its scheme is {}, and only http proxies can be used",
                               printable(rest.substr(0, end), 32)));
        rest.remove_prefix(end + 3);
    }
    try {
        auto url = Url::parse("http://" + std::string(rest));
        if (!names_port(rest)) url.port = default_proxy_port;
        return url;
    } catch (const Error& e) {
        const std::string_view what = e.what();
        const auto why = what.rfind("stream: ");
        refuse(why == what.npos ? what : what.substr(why + 8));
    }
    return {};
}

bool bypasses_proxy(std::string_view list, std::string_view host, std::uint16_t port) {
    if (list == "*") return true;
    while (!list.empty()) {
        const auto end = std::min(list.find_first_of(", \t"), list.size());
        if (end > 0 && covers(list.substr(0, end), host, port)) return true;
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return false;
}

std::optional<Url> proxy_for(const Url& url, const ProxyOptions& options) {
    const auto& proxy = url.tls ? options.https : options.http;
    if (proxy.empty() || bypasses_proxy(options.no_proxy, url.host, url.port)) return std::nullopt;
    return parse_proxy(proxy);
}

} // namespace sse
