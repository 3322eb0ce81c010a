#include "http/authority.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <netinet/in.h>

namespace sse {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (auto& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return out;
}

/// Of a registered name as browsers send it: letters, digits, `-`, `_`, `.`; more is no name that
/// anybody means.
bool is_name_byte(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

/// The canonical text of an IPv6 address; an IPv4 address in IPv6's clothes becomes IPv4.
std::optional<std::string> canonical_v6(const std::string& text) {
    in6_addr v6{};
    if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1) return std::nullopt;
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (IN6_IS_ADDR_V4MAPPED(&v6)) ::inet_ntop(AF_INET, &v6.s6_addr[12], out.data(), out.size());
    else ::inet_ntop(AF_INET6, &v6, out.data(), out.size());
    return out.data();
}

std::optional<int> read_port(std::string_view text) {
    int port = -1;
    const auto* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc() || at != end || port < 0 || port > 65535) return std::nullopt;
    return port;
}

} // namespace

int default_port(std::string_view scheme) {
    if (scheme == "http") return 80;
    return scheme == "https" ? 443 : -1;
}

std::optional<Authority> Authority::parse(std::string_view text) {
    Authority result;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == text.npos) return std::nullopt;
        const auto v6 = canonical_v6(std::string(text.substr(1, close - 1)));
        if (!v6) return std::nullopt;
        result.host = *v6;
        rest = text.substr(close + 1);
    } else {
        const auto colon = text.find(':');
        result.host = lower(text.substr(0, colon));
        if (result.host.size() > 1 && result.host.ends_with('.')) result.host.pop_back();
        if (result.host.empty() ||
            !std::all_of(result.host.begin(), result.host.end(), is_name_byte))
            return std::nullopt;
        if (colon != text.npos) rest = text.substr(colon);
    }
    if (rest.empty()) return result;
    const auto port = rest.starts_with(':') ? read_port(rest.substr(1)) : std::nullopt;
    if (!port) return std::nullopt;
    result.port = *port;
    return result;
}

bool Authority::is_loopback() const {
    if (host == "localhost" || host == "::1" || host.ends_with(".localhost")) return true;
    in_addr v4{};
    return ::inet_pton(AF_INET, host.c_str(), &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

std::optional<Origin> Origin::parse(std::string_view text) {
    const auto mark = text.find("://");
    if (mark == text.npos || mark == 0) return std::nullopt;
    const auto authority = Authority::parse(text.substr(mark + 3));
    if (!authority) return std::nullopt;
    Origin result{lower(text.substr(0, mark)), *authority};
    if (result.authority.port < 0) result.authority.port = default_port(result.scheme);
    return result;
}

bool Origin::operator==(const Origin& other) const {
    return scheme == other.scheme && authority.host == other.authority.host &&
           authority.port == other.authority.port;
}

} // namespace sse
