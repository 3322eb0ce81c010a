#include "net/dial.hpp"

#include "base/descriptor.hpp"
#include "base/errno_text.hpp"
#include "base/posix.hpp"
#include "net/lookup.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace sse {

namespace {

using Clock = Interrupt::Clock;

[[noreturn]] void give_up(Interrupt::Woken woken, const std::string& what) {
    if (woken == Interrupt::Woken::interrupted) throw Interrupted{};
    throw Error(Errc::timeout, what);
}

/// `reason` is that of the error for a host without an address.
std::vector<SocketAddress> resolve(const std::string& host, std::uint16_t port, Family family,
                                   Interrupt& interrupt, Clock::time_point limit, Reason reason) {
    const auto lookup = Lookup::start(host, port, family);
    if (!lookup->is_done()) {
        const auto woken = interrupt.wait(lookup->fd(), POLLIN, limit);
        if (woken != Interrupt::Woken::ready) {
            give_up(woken, fmt::format("cannot resolve {}: timed out", host));
        }
    }
    return lookup->addresses(reason);
}

Descriptor open_unix_socket() {
    Descriptor fd(make_socket(AF_UNIX, SOCK_STREAM, true));
    if (fd.get() < 0)
        throw std::system_error(errno, std::generic_category(), "cannot create a socket");
    return fd;
}

/// Connects to the addresses of one name, starting each shortly after the one before (RFC 8305).
class Race {
public:
    Race(std::vector<SocketAddress> addresses, const DialOptions& options, Interrupt& interrupt)
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
                            fmt::format("cannot connect to {}: {}", endpoint, errno_text(error_)),
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
    int start(const SocketAddress& address) {
        int error = 0;
        auto fd = start_connecting(address, options_, error);
        if (error == 0) return fd.release();
        if (error == EINPROGRESS) running_.push_back(std::move(fd));
        else error_ = error;
        return -1;
    }

    /// The outcome of `running_[i]`, which leaves the race.
    int take(std::size_t i) {
        auto fd = std::move(running_[i]);
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
        const int error = connect_error(fd.get());
        if (error == 0) return fd.release();
        error_ = error;
        return -1;
    }

    std::vector<SocketAddress> addresses_;
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
        auto fd = open_unix_socket();
        if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
            return fd.release();
        if (errno != EAGAIN) {
            const bool refused = errno == ECONNREFUSED || errno == ENOENT;
            throw Error(Errc::connect,
                        fmt::format("cannot connect to unix:{}: {}", path, errno_text(errno)),
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
