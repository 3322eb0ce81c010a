#include "server/forwarded.hpp"

#include "base/trimmed.hpp"

#include <algorithm>
#include <optional>

namespace sse {

namespace {

/// The address of an entry: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`, any of
/// them in quotes.
std::optional<IpAddress> address_of(std::string_view entry) {
    if (entry.size() >= 2 && entry.front() == '"' && entry.back() == '"')
        entry = entry.substr(1, entry.size() - 2);
    if (entry.starts_with('[')) {
        const auto end = entry.find(']');
        return end == entry.npos ? std::nullopt : IpAddress::parse(entry.substr(1, end - 1));
    }
    if (const auto colon = entry.find(':');
        colon != entry.npos && entry.find(':', colon + 1) == entry.npos) {
        entry = entry.substr(0, colon);
    }
    return IpAddress::parse(entry);
}

/// The `for` of one element of Forwarded; "" if it has none.
std::string_view for_of(std::string_view element) {
    while (!element.empty()) {
        const auto end = element.find(';');
        const auto pair = trimmed(element.substr(0, end));
        const auto equals = pair.find('=');
        if (equals != pair.npos && same_name(trimmed(pair.substr(0, equals)), "for"))
            return trimmed(pair.substr(equals + 1));
        if (end == element.npos) break;
        element.remove_prefix(end + 1);
    }
    return {};
}

/// The elements of all fields called `name`, in order. An address holds no comma, quoted or not.
std::vector<std::string_view> elements(const Head& head, std::string_view name) {
    std::vector<std::string_view> all;
    for (const auto& [field, value] : head.fields()) {
        if (!same_name(field, name)) continue;
        for (std::string_view rest = value;;) {
            const auto comma = rest.find(',');
            all.push_back(trimmed(rest.substr(0, comma)));
            if (comma == rest.npos) break;
            rest.remove_prefix(comma + 1);
        }
    }
    return all;
}

} // namespace

bool TrustedProxies::trusts(std::string_view peer) const {
    if (peer == "unix") return unix_sockets;
    const auto address = IpAddress::parse(peer);
    return address && std::any_of(networks.begin(), networks.end(),
                                  [&](const auto& network) { return network.contains(*address); });
}

std::string client_address(const Head& head, const std::string& peer,
                           const TrustedProxies& proxies) {
    if (proxies.empty() || !proxies.trusts(peer)) return peer;
    auto hops = elements(head, "X-Forwarded-For");
    if (hops.empty()) {
        hops = elements(head, "Forwarded");
        for (auto& hop : hops) hop = for_of(hop);
    }
    auto nearest = peer;
    for (auto hop = hops.rbegin(); hop != hops.rend(); ++hop) {
        const auto address = address_of(*hop);
        if (!address) break;
        nearest = address->text();
        if (!proxies.trusts(nearest)) break;
    }
    return nearest;
}

} // namespace sse
