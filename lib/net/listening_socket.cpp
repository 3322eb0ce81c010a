#include "net/listening_socket.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"
#include "net/ip_address.hpp"
#include "net/name_service.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

[[noreturn]] void cannot_listen(const std::string& address) {
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot listen on {}", address));
}

[[noreturn]] void no_address(const std::string& address) {
    throw Error(Errc::invalid_argument, fmt::format("not an address to listen on: {}", address));
}

void set_option(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

Descriptor stream_socket(int family) { return Descriptor(make_socket(family, SOCK_STREAM, true)); }

/// Removes a unix socket that nobody listens on any more: its owner was killed.
void remove_if_dead(const sockaddr_un& address, socklen_t size) {
    struct stat status {};
    if (::lstat(address.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    const auto probe = stream_socket(AF_UNIX);
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 &&
        errno == ECONNREFUSED) {
        ::unlink(address.sun_path);
    }
}

std::uint64_t inode_of(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode) ? status.st_ino : 0;
}

ListeningSocket listen_on_unix(const std::string& address, SocketOptions options) {
    const auto path = address.substr(std::strlen("unix:"));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof name.sun_path) no_address(address);
    std::copy(path.begin(), path.end(), name.sun_path);
    remove_if_dead(name, sizeof name);
    auto socket = stream_socket(AF_UNIX);
    if (socket.get() < 0 ||
        ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        cannot_listen(address);
    }
    // Before listen() nobody can connect, so nobody does with the wrong permissions.
    if ((options.mode && ::chmod(path.c_str(), static_cast<mode_t>(*options.mode)) != 0) ||
        ::listen(socket.get(), options.backlog) != 0) {
        cannot_listen(address);
    }
    return {std::move(socket), address, true, false, path, inode_of(path)};
}

/// `fd`, bound to `name`. No client can connect to the unspecified address, so the URL has
/// loopback.
ListeningSocket listening_at(int fd, const sockaddr_storage& name) {
    // Both structs have the port in the same place; it is what a client must know after port 0.
    const auto port = ntohs(reinterpret_cast<const sockaddr_in&>(name).sin_port);
    const auto address = IpAddress::from(name).value_or(IpAddress());
    const bool all_interfaces = address.is_unspecified();
    auto host = address.text();
    if (all_interfaces) {
        int v6_only = 0;
        socklen_t size = sizeof v6_only;
        if (name.ss_family == AF_INET6)
            ::getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, &size);
        host = v6_only != 0 ? "::1" : "127.0.0.1";
    }
    const bool v6 = host.find(':') != host.npos;
    auto url = fmt::format("http://{}{}{}:{}/", v6 ? "[" : "", host, v6 ? "]" : "", port);
    return {Descriptor(fd), std::move(url), address.is_loopback(), all_interfaces, "", 0};
}

ListeningSocket listen_on_ip(const addrinfo& info, bool all_interfaces, const std::string& address,
                             int backlog) {
    auto socket = stream_socket(info.ai_family);
    if (socket.get() < 0) cannot_listen(address);
    set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (info.ai_family == AF_INET6)
        set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, all_interfaces ? 0 : 1);
    if (::bind(socket.get(), info.ai_addr, info.ai_addrlen) != 0 ||
        ::listen(socket.get(), backlog) != 0) {
        cannot_listen(address);
    }
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size);
    return listening_at(socket.release(), name);
}

/// True on a machine without IPv6, or where it is disabled, as in many containers.
bool has_no_such_family(const std::system_error& e) {
    return e.code() == std::errc::address_family_not_supported ||
           e.code() == std::errc::address_not_available;
}

struct HostPort {
    std::string host, port;
};

HostPort split(const std::string& address) {
    const auto colon = address.rfind(':');
    HostPort result;
    if (colon == address.npos) result = {"127.0.0.1", address};
    else result = {address.substr(0, colon), address.substr(colon + 1)};
    auto& host = result.host;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    else if (host.find(':') != host.npos) no_address(address);
    int port = -1;
    const auto* const end = result.port.data() + result.port.size();
    const auto parsed = std::from_chars(result.port.data(), end, port);
    if (parsed.ec != std::errc() || parsed.ptr != end || port < 0 || port > 65535)
        no_address(address);
    return result;
}

} // namespace

std::vector<ListeningSocket> listen_on(const std::string& address, SocketOptions options) {
    std::vector<ListeningSocket> result;
    if (address.starts_with("unix:")) {
        result.push_back(listen_on_unix(address, options));
        return result;
    }
    const auto [host, port] = split(address);
    const bool all = host.empty();
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int failed = ::getaddrinfo(all ? "::" : host.c_str(), port.c_str(), &hints, &found);
    if (failed != 0 && is_localhost(host)) return listen_on("127.0.0.1:" + port, options);
    if (failed != 0) {
        throw Error(Errc::resolve,
                    fmt::format("cannot listen on {}: {}", address, ::gai_strerror(failed)));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, ::freeaddrinfo);
    if (all) {
        try {
            result.push_back(listen_on_ip(*found, true, address, options.backlog));
            return result;
        } catch (const std::system_error& e) {
            if (!has_no_such_family(e)) throw;
        }
        return listen_on("0.0.0.0:" + port, options);
    }
    for (const auto* info = found; info != nullptr; info = info->ai_next) {
        try {
            result.push_back(listen_on_ip(*info, false, address, options.backlog));
        } catch (const std::system_error& e) { // one address of a name is enough
            if (!has_no_such_family(e) || (info->ai_next == nullptr && result.empty())) throw;
            continue;
        }
        if (port == "0") break; // a second address would get another port
    }
    return result;
}

ListeningSocket adopt_listening_socket(int fd) {
    int kind = 0, listens = 0;
    socklen_t size = sizeof kind;
    sockaddr_storage name{};
    socklen_t name_size = sizeof name;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) != 0 || kind != SOCK_STREAM ||
        ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens == 0 ||
        ::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &name_size) != 0) {
        throw Error(Errc::invalid_argument,
                    fmt::format("descriptor {} is not a listening stream socket", fd));
    }
    Descriptor socket(fd);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    if (name.ss_family != AF_UNIX) return listening_at(socket.release(), name);
    const auto& path = reinterpret_cast<const sockaddr_un&>(name).sun_path;
    const bool abstract = path[0] == 0;
    const auto bytes = name_size - offsetof(sockaddr_un, sun_path);
    auto text = abstract ? "@" + std::string(path + 1, bytes > 0 ? bytes - 1 : 0)
                         : std::string(path, ::strnlen(path, bytes));
    return {std::move(socket), "unix:" + text, true, false, "", 0};
}

void remove_path(const std::string& path, std::uint64_t inode) {
    if (inode != 0 && inode_of(path) == inode) ::unlink(path.c_str());
}

} // namespace sse
