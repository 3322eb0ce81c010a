#include "net/timed_receive.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <sys/socket.h>

namespace sse {

bool enable_arrival_times([[maybe_unused]] int fd) {
#ifdef SO_TIMESTAMPNS
    const int on = 1;
    return ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0;
#else
    return false;
#endif
}

TimedTransfer receive_timed(int fd, std::span<char> into, bool peek) {
    iovec part{into.data(), into.size()};
    alignas(cmsghdr) std::array<char, 128> control;
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto got = ::recvmsg(fd, &message, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
    TimedTransfer result;
    if (got <= 0) {
        const bool again = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
        result.again = again;
        result.closed = !again;
        if (!again && got < 0) result.error = errno;
        result.timed_out = result.error == ETIMEDOUT;
        return result;
    }
    result.bytes = static_cast<std::size_t>(got);
#ifdef SO_TIMESTAMPNS
    for (auto* each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SO_TIMESTAMPNS) continue;
        timespec time{};
        std::memcpy(&time, CMSG_DATA(each), sizeof time);
        result.arrived = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    }
#endif
    return result;
}

} // namespace sse
