#include "net/dial.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"
#include "base/wake_pipe.hpp"
#include "net/name_service.hpp"
#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <mutex>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sse {

namespace {

using Clock = Interrupt::Clock;

struct Address {
    sockaddr_storage bytes{};
    socklen_t length = 0;
};

std::string error_text(int number) { return std::generic_category().message(number); }

/// A name resolution on a thread of its own: getaddrinfo() has no time limit and cannot be
/// cancelled, so an interrupted dial leaves the thread to end by itself.
struct Lookup {
    std::string host;
    std::uint16_t port = 0;
    addrinfo hints{};
    WakePipe done;
    int error = 0, system_error = 0;
    std::vector<Address> addresses;

    void run() {
        addrinfo* list = nullptr;
        error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
        system_error = errno;
        if (error != 0 && (hints.ai_flags & AI_NUMERICHOST) == 0 && is_localhost(host)) {
            addresses = loopback();
            error = 0;
            return;
        }
        for (const auto* at = error == 0 ? list : nullptr; at; at = at->ai_next) {
            Address address;
            std::memcpy(&address.bytes, at->ai_addr, at->ai_addrlen);
            address.length = at->ai_addrlen;
            addresses.push_back(address);
        }
        if (error == 0) ::freeaddrinfo(list);
    }

private:
    /// For a machine whose files do not name it.
    std::vector<Address> loopback() const {
        std::vector<Address> result;
        if (hints.ai_family != AF_INET) {
            sockaddr_in6 v6{};
            v6.sin6_family = AF_INET6;
            v6.sin6_port = htons(port);
            v6.sin6_addr = in6addr_loopback;
            result.push_back({{}, sizeof v6});
            std::memcpy(&result.back().bytes, &v6, sizeof v6);
        }
        if (hints.ai_family != AF_INET6) {
            sockaddr_in v4{};
            v4.sin_family = AF_INET;
            v4.sin_port = htons(port);
            v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            result.push_back({{}, sizeof v4});
            std::memcpy(&result.back().bytes, &v4, sizeof v4);
        }
        return result;
    }
};

[[noreturn]] void give_up(Interrupt::Woken woken, const std::string& what) {
    if (woken == Interrupt::Woken::interrupted) throw Interrupted{};
    throw Error(Errc::timeout, what);
}

/// `reason` is that of the error for a host without an address.
std::vector<Address> resolve(const std::string& host, std::uint16_t port, Family family,
                             Interrupt& interrupt, Clock::time_point limit, Reason reason) {
    const auto lookup = std::make_shared<Lookup>();
    lookup->host = host;
    lookup->port = port;
    lookup->hints.ai_socktype = SOCK_STREAM;
    lookup->hints.ai_flags = AI_NUMERICSERV | AI_NUMERICHOST;
    lookup->hints.ai_family = family == Family::v4   ? AF_INET
                              : family == Family::v6 ? AF_INET6
                                                     : AF_UNSPEC;
    lookup->run(); // an address needs no thread
    if (lookup->error == EAI_NONAME) {
        // No AI_ADDRCONFIG: it hides the addresses of /etc/hosts while only `lo` is up.
        lookup->hints.ai_flags = AI_NUMERICSERV;
        std::thread([lookup] {
            lookup->run();
            lookup->done.set();
        }).detach();
        const auto woken = interrupt.wait(lookup->done.fd(), POLLIN, limit);
        if (woken != Interrupt::Woken::ready) {
            give_up(woken, fmt::format("cannot resolve {}: timed out", host));
        }
        lookup->done.reset(); // orders the thread's writes before our reads
    }
    if (lookup->error != 0) {
        const auto why = lookup->error == EAI_SYSTEM ? error_text(lookup->system_error)
                                                     : std::string(::gai_strerror(lookup->error));
        throw Error(Errc::resolve, fmt::format("cannot resolve {}: {}", host, why), reason);
    }
    return lookup->addresses;
}

/// An invalid descriptor where the system lacks the address family.
Descriptor open_socket(int family) {
    Descriptor fd(make_socket(family, SOCK_STREAM, true));
    if (fd.get() < 0 && errno == EAFNOSUPPORT) return fd;
    if (fd.get() < 0)
        throw std::system_error(errno, std::generic_category(), "cannot create a socket");
    return fd;
}

/// Connects to the addresses of one name, starting each shortly after the one before (RFC 8305).
class Race {
public:
    Race(std::vector<Address> addresses, const DialOptions& options, Interrupt& interrupt)
        : addresses_(std::move(addresses))
        , options_(options)
        , interrupt_(interrupt) {}

    int run(const std::string& endpoint, Clock::time_point limit) {
        auto next_start = Clock::now();
        while (true) {
            if (next_ < addresses_.size() && (running_.empty() || Clock::now() >= next_start)) {
                if (const int fd = start(addresses_[next_++]); fd >= 0) return fd;
                next_start = Clock::now() + options_.next_address;
                continue;
            }
            if (running_.empty()) {
                throw Error(Errc::connect,
                            fmt::format("cannot connect to {}: {}", endpoint, error_text(error_)),
                            error_ == ECONNREFUSED ? Reason::connection_refused
                                                   : Reason::unspecified);
            }
            std::vector<pollfd> fds;
            for (const auto& fd : running_) fds.push_back({fd.get(), POLLOUT, 0});
            const auto until = next_ < addresses_.size() ? std::min(limit, next_start) : limit;
            const auto woken = interrupt_.wait(fds, until);
            if (woken == Interrupt::Woken::interrupted ||
                (woken != Interrupt::Woken::ready && until == limit)) {
                give_up(woken, fmt::format("cannot connect to {}: timed out", endpoint));
            }
            if (woken != Interrupt::Woken::ready) continue;
            for (std::size_t i = fds.size(); i-- > 0;) {
                if (fds[i].revents == 0) continue;
                if (const int fd = take(i); fd >= 0) return fd;
                next_start = Clock::now();
            }
        }
    }

private:
    /// A connected descriptor, or -1: it is in `running_` now, or it failed.
    int start(const Address& address) {
        auto fd = open_socket(address.bytes.ss_family);
        if (fd.get() < 0) { // a name may have addresses of IPv6 on a machine that has none
            error_ = EAFNOSUPPORT;
            return -1;
        }
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        keep_alive(fd.get(), options_.keepalive_idle, options_.keepalive_interval, 4);
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.bytes),
                      address.length) == 0) {
            return fd.release();
        }
        if (errno == EINPROGRESS) running_.push_back(std::move(fd));
        else error_ = errno;
        return -1;
    }

    /// The outcome of `running_[i]`, which leaves the race.
    int take(std::size_t i) {
        auto fd = std::move(running_[i]);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
        int error = 0;
        socklen_t length = sizeof error;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
        if (error == 0) return fd.release();
        error_ = error;
        return -1;
    }

    std::vector<Address> addresses_;
    const DialOptions& options_;
    Interrupt& interrupt_;
    std::vector<Descriptor> running_;
    std::size_t next_ = 0;
    int error_ = EADDRNOTAVAIL;
};

} // namespace

int dial(const std::string& name, std::uint16_t port, const DialOptions& options,
         Interrupt& interrupt, Clock::time_point limit, Clock::time_point& resolved) {
    auto host = name;
    auto reason = Reason::unspecified;
    for (const auto& known : options.addresses) {
        if (known.host != name || known.port != port) continue;
        host = known.address;
        reason = Reason::not_an_address;
    }
    auto addresses = resolve(host, port, options.family, interrupt, limit, reason);
    resolved = Clock::now();
    const bool v6 = host.find(':') != host.npos;
    return Race(std::move(addresses), options, interrupt)
        .run(v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port), limit);
}

int dial_unix(const std::string& path, Interrupt& interrupt, Clock::time_point limit) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        throw Error(Errc::invalid_argument,
                    fmt::format("the path of the unix socket {} is too long", path));
    }
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    while (true) {
        auto fd = open_socket(AF_UNIX);
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
            return fd.release();
        if (errno != EAGAIN) {
            const bool refused = errno == ECONNREFUSED || errno == ENOENT;
            throw Error(Errc::connect,
                        fmt::format("cannot connect to unix:{}: {}", path, error_text(errno)),
                        refused ? Reason::connection_refused : Reason::unspecified);
        }
        const auto again =
            std::min(limit, Clock::now() + std::chrono::milliseconds(20)); // its backlog is full
        if (!interrupt.sleep_until(again)) throw Interrupted{};
        if (Clock::now() >= limit) {
            throw Error(Errc::timeout, fmt::format("cannot connect to unix:{}: timed out", path));
        }
    }
}

} // namespace sse
