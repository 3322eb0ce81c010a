#include "net/socket.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <utility>

namespace sse {

namespace {

void set(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

template <class GetName>
std::optional<IpAddress> name_of(int fd, GetName get) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (get(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return std::nullopt;
    return IpAddress::from(name);
}

} // namespace

std::size_t raise_descriptor_limit() {
    rlimit files{};
    if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return 0;
    if (files.rlim_cur < files.rlim_max) {
        const auto before = files.rlim_cur;
        // A system may allow less than its own limit says.
        for (const auto limit : {files.rlim_max, std::min(files.rlim_max, rlim_t{10'240})}) {
            files.rlim_cur = limit;
            if (limit > before && ::setrlimit(RLIMIT_NOFILE, &files) == 0) break;
            files.rlim_cur = before;
        }
    }
    return static_cast<std::size_t>(files.rlim_cur);
}

bool out_of_descriptors() {
    const Descriptor first(make_placeholder());
    const Descriptor second(make_placeholder());
    return second.get() < 0 && (errno == EMFILE || errno == ENFILE);
}

std::optional<IpAddress> peer_ip(int fd) { return name_of(fd, ::getpeername); }
std::optional<IpAddress> local_ip(int fd) { return name_of(fd, ::getsockname); }

std::string peer_address(int fd) {
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return "gone";
    const auto address = IpAddress::from(name);
    return address ? address->text() : "unix";
}

void disable_nagle(int fd) { set(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

void limit_unsent([[maybe_unused]] int fd, [[maybe_unused]] std::size_t bytes) {
#ifdef TCP_NOTSENT_LOWAT
    set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, static_cast<int>(bytes));
#endif
}

Transfer transfer_of(std::ptrdiff_t moved) {
    if (moved > 0) return {static_cast<std::size_t>(moved)};
    if (moved == -EAGAIN || moved == -EWOULDBLOCK || moved == -EINTR) return {0, true, false};
    return {0, false, true, moved == -ETIMEDOUT, static_cast<int>(-moved)};
}

namespace {

Transfer outcome(ssize_t moved) { return transfer_of(moved < 0 ? -errno : moved); }

} // namespace

Transfer send_some(int fd, std::span<const std::string_view> views) {
    if (views.size() == 1) {
        return outcome(::send(fd, views[0].data(), views[0].size(), no_sigpipe | MSG_DONTWAIT));
    }
    std::array<iovec, 256> parts;
    const auto count = std::min(views.size(), parts.size());
    for (std::size_t i = 0; i < count; ++i) {
        parts[i] = {const_cast<char*>(views[i].data()), views[i].size()};
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = static_cast<decltype(message.msg_iovlen)>(count);
    return outcome(::sendmsg(fd, &message, no_sigpipe | MSG_DONTWAIT));
}

Transfer receive_some(int fd, std::span<char> into) {
    return outcome(::recv(fd, into.data(), into.size(), MSG_DONTWAIT));
}

} // namespace sse
