#include "net/lookup.hpp"

#include "base/errno_text.hpp"
#include "base/posix.hpp"
#include "net/name_service.hpp"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <system_error>
#include <thread>

namespace sse {

std::shared_ptr<Lookup> Lookup::start(const std::string& host, std::uint16_t port, Family family) {
    auto lookup = std::make_shared<Lookup>();
    lookup->host_ = host;
    lookup->port_ = port;
    lookup->hints_.ai_socktype = SOCK_STREAM;
    lookup->hints_.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
    lookup->hints_.ai_family = family == Family::v4   ? AF_INET
                               : family == Family::v6 ? AF_INET6
                                                      : AF_UNSPEC;
    lookup->run();
    if (lookup->error_ != EAI_NONAME) return lookup;
    // No AI_ADDRCONFIG: it hides the addresses of /etc/hosts while only `lo` is up.
    lookup->hints_.ai_flags = AI_NUMERICSERV;
    lookup->threaded_ = true;
    std::thread([lookup] {
        lookup->run();
        lookup->done_.set();
    }).detach();
    return lookup;
}

void Lookup::run() {
    addrinfo* list = nullptr;
    error_ = ::getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints_, &list);
    system_error_ = errno;
    if (error_ != 0 && (hints_.ai_flags & AI_NUMERICHOST) == 0 && is_localhost(host_)) {
        addresses_ = loopback();
        error_ = 0;
        return;
    }
    for (const auto* at = error_ == 0 ? list : nullptr; at; at = at->ai_next) {
        SocketAddress address;
        std::memcpy(&address.bytes, at->ai_addr, at->ai_addrlen);
        address.length = at->ai_addrlen;
        addresses_.push_back(address);
    }
    if (error_ == 0) ::freeaddrinfo(list);
}

/// For a machine whose files do not name it.
std::vector<SocketAddress> Lookup::loopback() const {
    std::vector<SocketAddress> result;
    if (hints_.ai_family != AF_INET) {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port_);
        v6.sin6_addr = in6addr_loopback;
        result.push_back({{}, sizeof v6});
        std::memcpy(&result.back().bytes, &v6, sizeof v6);
    }
    if (hints_.ai_family != AF_INET6) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port_);
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        result.push_back({{}, sizeof v4});
        std::memcpy(&result.back().bytes, &v4, sizeof v4);
    }
    return result;
}

const std::vector<SocketAddress>& Lookup::addresses(Reason reason) {
    if (threaded_) done_.reset(); // orders the thread's writes before our reads
    if (error_ == 0) return addresses_;
    const auto why =
        error_ == EAI_SYSTEM ? errno_text(system_error_) : std::string(::gai_strerror(error_));
    throw Error(Errc::resolve, fmt::format("cannot resolve {}: {}", host_, why), reason);
}

namespace {

/// The port is chosen with the connection, so that only connections to one address and port need
/// different ones, where the system can do that.
bool bind_source(int fd, const SocketAddress& source) {
#ifdef IP_BIND_ADDRESS_NO_PORT
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
#endif
    return ::bind(fd, reinterpret_cast<const sockaddr*>(&source.bytes), source.length) == 0;
}

} // namespace

Descriptor start_connecting(const SocketAddress& address, const DialOptions& options, int& error,
                            const SocketAddress* source) {
    Descriptor fd(make_socket(address.bytes.ss_family, SOCK_STREAM, true));
    error = errno;
    // A name may have addresses of IPv6 on a machine that has none.
    if (fd.get() < 0 && error == EAFNOSUPPORT) return fd;
    if (fd.get() < 0)
        throw std::system_error(error, std::generic_category(), "cannot create a socket");
    if (source && !bind_source(fd.get(), *source)) {
        error = errno;
        return Descriptor();
    }
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    keep_alive(fd.get(), options.keepalive_idle, options.keepalive_interval, 4);
    const int result =
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.bytes), address.length);
    error = result == 0 ? 0 : errno;
    return error == 0 || error == EINPROGRESS ? std::move(fd) : Descriptor();
}

int connect_error(int fd) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error;
}

} // namespace sse
