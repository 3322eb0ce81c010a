// Which of many sockets have something to read: by epoll on Linux, else by poll().
#pragma once

#include <algorithm>
#include <cstddef>
#include <poll.h>
#include <vector>

#if defined(__linux__) && !defined(SSE_PORTABLE)
#include <sys/epoll.h>
#include <unistd.h>
#endif

/// Sockets and the number of each. One that is closed leaves the set.
class ReadySet {
public:
#if defined(__linux__) && !defined(SSE_PORTABLE)
    ReadySet() = default;
    ~ReadySet() { ::close(epoll_); }
    ReadySet(const ReadySet&) = delete;
    ReadySet& operator=(const ReadySet&) = delete;

    void add(int fd, std::size_t number) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.u64 = number;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
    /// Numbers of the sockets that are ready within `milliseconds`; -1 waits without a limit.
    const std::vector<std::size_t>& wait(int milliseconds) {
        numbers_.clear();
        const int count =
            ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), milliseconds);
        for (int i = 0; i < count; ++i)
            numbers_.push_back( // a copy: epoll_event is packed
                std::size_t{events_[static_cast<std::size_t>(i)].data.u64});
        return numbers_;
    }

private:
    const int epoll_ = ::epoll_create1(0);
    std::vector<epoll_event> events_ = std::vector<epoll_event>(1024);
#else
    void add(int fd, std::size_t number) {
        fds_.push_back({fd, POLLIN, 0});
        all_.push_back(number);
    }
    const std::vector<std::size_t>& wait(int milliseconds) {
        numbers_.clear();
        ::poll(fds_.data(), static_cast<nfds_t>(fds_.size()), milliseconds);
        std::size_t kept = 0;
        for (std::size_t i = 0; i < fds_.size(); ++i) {
            if ((fds_[i].revents & POLLNVAL) != 0) continue; // closed
            if (fds_[i].revents != 0) numbers_.push_back(all_[i]);
            fds_[kept] = fds_[i];
            all_[kept++] = all_[i];
        }
        fds_.resize(kept);
        all_.resize(kept);
        return numbers_;
    }

private:
    std::vector<pollfd> fds_;
    std::vector<std::size_t> all_; ///< the number of each of fds_
#endif
    std::vector<std::size_t> numbers_;
};
