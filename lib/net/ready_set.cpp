#include "net/ready_set.hpp"

#include "base/posix.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <unistd.h>

#ifdef SSE_LINUX
#include <sys/epoll.h>
#endif

namespace sse {

namespace {

int milliseconds(std::chrono::nanoseconds limit) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
}

} // namespace

#ifdef SSE_LINUX

/// The events of epoll have the values of poll()'s.
struct ReadySet::Impl {
    static constexpr std::size_t most = 4096;

    int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    std::vector<epoll_event> events = std::vector<epoll_event>(most);

    ~Impl() {
        if (epoll >= 0) ::close(epoll);
    }
    void control(int operation, int fd, std::uint32_t number, short wanted) const {
        epoll_event event{};
        event.events = static_cast<std::uint32_t>(wanted);
        event.data.u32 = number;
        if (::epoll_ctl(epoll, operation, fd, &event) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot watch a socket");
    }
};

ReadySet::ReadySet()
    : impl_(std::make_unique<Impl>()) {
    if (impl_->epoll < 0)
        throw std::system_error(errno, std::generic_category(), "cannot watch sockets");
}
ReadySet::~ReadySet() = default;

void ReadySet::add(int fd, std::uint32_t number, short events) {
    impl_->control(EPOLL_CTL_ADD, fd, number, events);
}
void ReadySet::change(int fd, std::uint32_t number, short events) {
    impl_->control(EPOLL_CTL_MOD, fd, number, events);
}
void ReadySet::remove(int) {} // close() does it

std::span<const ReadySet::Ready> ReadySet::wait(std::chrono::nanoseconds limit) {
    ready_.clear();
    const int count = ::epoll_wait(impl_->epoll, impl_->events.data(), static_cast<int>(Impl::most),
                                   milliseconds(limit));
    for (int i = 0; i < count; ++i) {
        const auto& event = impl_->events[static_cast<std::size_t>(i)];
        ready_.push_back({event.data.u32, static_cast<short>(event.events)});
    }
    complete_ = count >= 0 && count < static_cast<int>(Impl::most);
    return ready_;
}

#else

struct ReadySet::Impl {
    std::vector<pollfd> fds;
    std::vector<std::uint32_t> numbers; ///< of `fds`

    std::size_t place_of(int fd) const {
        const auto found =
            std::find_if(fds.begin(), fds.end(), [&](const auto& one) { return one.fd == fd; });
        return static_cast<std::size_t>(found - fds.begin());
    }
};

ReadySet::ReadySet()
    : impl_(std::make_unique<Impl>()) {}
ReadySet::~ReadySet() = default;

void ReadySet::add(int fd, std::uint32_t number, short events) {
    impl_->fds.push_back({fd, events, 0});
    impl_->numbers.push_back(number);
}
void ReadySet::change(int fd, std::uint32_t number, short events) {
    const auto at = impl_->place_of(fd);
    impl_->fds[at].events = events;
    impl_->numbers[at] = number;
}
void ReadySet::remove(int fd) {
    const auto at = impl_->place_of(fd);
    if (at == impl_->fds.size()) return;
    impl_->fds[at] = impl_->fds.back();
    impl_->numbers[at] = impl_->numbers.back();
    impl_->fds.pop_back();
    impl_->numbers.pop_back();
}

std::span<const ReadySet::Ready> ReadySet::wait(std::chrono::nanoseconds limit) {
    ready_.clear();
    const int count =
        ::poll(impl_->fds.data(), static_cast<nfds_t>(impl_->fds.size()), milliseconds(limit));
    complete_ = count >= 0;
    if (count <= 0) return ready_;
    for (std::size_t i = 0; i < impl_->fds.size(); ++i) {
        if (impl_->fds[i].revents != 0)
            ready_.push_back({impl_->numbers[i], impl_->fds[i].revents});
    }
    return ready_;
}

#endif

} // namespace sse
