#include "base/interrupt.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <system_error>
#include <vector>

namespace sse {

namespace {

/// The timeout of poll() for the earliest of `times`, rounded up so that a wait never ends early.
int poll_timeout(Interrupt::Clock::time_point now,
                 std::initializer_list<std::optional<Interrupt::Clock::time_point>> times) {
    auto timeout = std::numeric_limits<long long>::max();
    for (const auto& time : times) {
        if (!time) continue;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*time - now).count();
        timeout = std::min<long long>(timeout, std::max<long long>(left, 0));
    }
    if (timeout == std::numeric_limits<long long>::max()) return -1;
    return static_cast<int>(std::min<long long>(timeout, std::numeric_limits<int>::max()));
}

} // namespace

void Interrupt::raise(Reason reason) noexcept {
    auto expected = Reason::none;
    const bool first = reason_.compare_exchange_strong(expected, reason, std::memory_order_acq_rel);
    const bool cuts = reason == Reason::raised || reason == Reason::reader_gone;
    if (first) wake_.set();
    if (cuts && !is_cut_.exchange(true)) cut_.set();
}

void Interrupt::received() noexcept {
    const auto now = Clock::now();
    received_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    if (end_ && now >= *end_) raise(Reason::expired);
}

Interrupt::Woken Interrupt::wait(int fd, short events, std::optional<Clock::time_point> limit) {
    pollfd one{fd, events, 0};
    return wait(std::span<pollfd>(&one, 1), limit);
}

bool Interrupt::wait_for_output(int fd, short events) {
    pollfd fds[] = {{cut_.fd(), POLLIN, 0}, {fd, events, 0}};
    while (!is_cut_) {
        const int ready = ::poll(fds, std::size(fds), -1);
        if (ready < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        if (ready > 0 && fds[1].revents != 0) break;
    }
    received();
    return !is_cut_;
}

Interrupt::Woken Interrupt::wait(std::span<pollfd> fds, std::optional<Clock::time_point> limit) {
    std::vector<pollfd> many;
    std::array<pollfd, 4> few;
    std::span<pollfd> all(few);
    if (fds.size() + 2 > few.size()) {
        many.resize(fds.size() + 2);
        all = many;
    }
    all = all.first(fds.size() + 2);
    all[0] = {wake_.fd(), POLLIN, 0};
    all[1] = {reader_, 0, 0};
    std::copy(fds.begin(), fds.end(), all.begin() + 2);
    while (true) {
        if (*this) return Woken::interrupted;
        const auto now = Clock::now();
        if (end_ && now >= *end_) raise(Reason::expired);
        std::optional<Clock::time_point> silent;
        if (idle_) silent = Clock::time_point(Clock::duration(received_.load())) + *idle_;
        if (silent && now >= *silent) raise(Reason::idle);
        if (*this) return Woken::interrupted;
        if (limit && now >= *limit && !fds.empty()) { // timed out, unless one is ready now
            if (::poll(all.data(), static_cast<nfds_t>(all.size()), 0) > 0) break;
            return Woken::timed_out;
        }
        if (limit && now >= *limit) return Woken::timed_out;
        const int ready = ::poll(all.data(), static_cast<nfds_t>(all.size()),
                                 poll_timeout(now, {end_, silent, limit}));
        if (ready < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        if (ready > 0) break;
    }
    if (all[1].revents & (POLLERR | POLLHUP)) raise(Reason::reader_gone);
    if (*this) return Woken::interrupted;
    std::copy(all.begin() + 2, all.end(), fds.begin());
    return Woken::ready;
}

} // namespace sse
