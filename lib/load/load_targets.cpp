#include "load/load_targets.hpp"

#include "base/error.hpp"
#include "net/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace sse {

namespace {

constexpr std::string_view number_mark = "{n}";

SocketAddress unix_address(const std::string& path) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path) {
        throw Error(Errc::invalid_argument,
                    fmt::format("the path of the unix socket {} is too long", path));
    }
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    SocketAddress address;
    std::memcpy(&address.bytes, &name, sizeof name);
    address.length = sizeof name;
    return address;
}

SocketAddress v4_address(std::uint32_t address) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(address);
    SocketAddress result;
    std::memcpy(&result.bytes, &name, sizeof name);
    result.length = sizeof name;
    return result;
}

SocketAddress source_address(const std::string& text) {
    in_addr v4{};
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return v4_address(ntohl(v4.s_addr));
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    if (::inet_pton(AF_INET6, text.c_str(), &name.sin6_addr) != 1) {
        throw Error(Errc::invalid_argument,
                    fmt::format("\"{}\" is not an IP address to connect from", text));
    }
    SocketAddress result;
    std::memcpy(&result.bytes, &name, sizeof name);
    result.length = sizeof name;
    return result;
}

std::vector<SocketAddress> resolve_host(const LoadOptions& options, const Url& url,
                                        Interrupt& interrupt, Interrupt::Clock::time_point limit) {
    auto host = url.host;
    auto reason = Reason::unspecified;
    for (const auto& known : options.dial.addresses) {
        if (known.host != host || known.port != url.port) continue;
        host = known.address;
        reason = Reason::not_an_address;
        break;
    }
    const auto lookup = Lookup::start(host, url.port, options.dial.family);
    if (!lookup->is_done()) {
        const auto woken = interrupt.wait(lookup->fd(), POLLIN, limit);
        if (woken == Interrupt::Woken::interrupted) throw Interrupted{};
        if (woken != Interrupt::Woken::ready)
            throw Error(Errc::timeout, fmt::format("cannot resolve {}: timed out", host));
    }
    return lookup->addresses(reason);
}

} // namespace

LoadTargets::LoadTargets(const LoadOptions& options)
    : options_(options) {
    for (const auto& request : options.requests) {
        check(request);
        Request made{request, head_of(request), false, {}, 0};
        made.numbered = made.head.find(number_mark) != made.head.npos;
        requests_.push_back(std::move(made));
    }
    for (const auto& source : options.sources) sources_.push_back(source_address(source));
}

void LoadTargets::resolve(Interrupt& interrupt) {
    const auto limit = options_.dial.limit();
    for (auto& each : requests_) {
        if (!options_.dial.unix_socket.empty())
            each.addresses = {unix_address(options_.dial.unix_socket)};
        else each.addresses = resolve_host(options_, each.request.url, interrupt, limit);
    }
    if (sources_.empty()) add_sources();
}

void LoadTargets::add_sources() {
    const auto all = options_.subscribers * options_.runs;
    if (all <= options_.subscribers_per_source) return;
    for (const auto& each : requests_) {
        for (const auto& address : each.addresses) {
            const auto ip = IpAddress::from(address.bytes);
            if (!ip || !ip->is_v4() || !ip->is_loopback()) return;
        }
    }
    per_source_ = options_.subscribers_per_source;
    constexpr std::uint32_t first = 0x7F000002u; // 127.0.0.2
    for (std::size_t i = 0; i * per_source_ < all; ++i)
        sources_.push_back(v4_address(first + static_cast<std::uint32_t>(i)));
}

const ClientRequest& LoadTargets::request(std::uint32_t subscriber) const {
    return requests_[group_of(subscriber)].request;
}

std::string LoadTargets::request_bytes(std::uint32_t subscriber, const std::string& last_id) const {
    const auto& each = requests_[group_of(subscriber)];
    auto bytes = each.head;
    if (each.numbered) {
        const auto number = fmt::to_string(options_.number_of(subscriber));
        for (auto at = bytes.find(number_mark); at != bytes.npos;
             at = bytes.find(number_mark, at + number.size()))
            bytes.replace(at, number_mark.size(), number);
    }
    if (!last_id.empty()) {
        const auto end = bytes.find("\r\n\r\n");
        bytes.insert(end + 2, fmt::format("Last-Event-ID: {}\r\n", last_id));
    }
    if (each.request.body) bytes += *each.request.body;
    return bytes;
}

const SocketAddress& LoadTargets::address(std::uint32_t subscriber) const {
    const auto& each = requests_[group_of(subscriber)];
    return each.addresses[each.address];
}

const SocketAddress* LoadTargets::source(std::uint32_t subscriber) const {
    if (sources_.empty()) return nullptr;
    return &sources_[(options_.number_of(subscriber) / per_source_) % sources_.size()];
}

std::size_t LoadTargets::address_number(std::uint32_t subscriber) const {
    return requests_[group_of(subscriber)].address;
}

bool LoadTargets::try_next_address(std::uint32_t subscriber, std::size_t number) {
    auto& each = requests_[group_of(subscriber)];
    if (number < each.address) return true;
    if (each.address + 1 >= each.addresses.size()) return false;
    ++each.address;
    return true;
}

std::string LoadTargets::foreign_address() const {
    for (const auto& each : requests_) {
        for (const auto& address : each.addresses) {
            const auto ip = IpAddress::from(address.bytes);
            if (ip && !ip->is_loopback()) return ip->text();
        }
    }
    return {};
}

} // namespace sse
