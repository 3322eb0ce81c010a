#include "cmd/cli/shutdown_grace.hpp"

#include <algorithm>
#include <poll.h>

namespace cmd {

void ShutdownGrace::stop() {
    until_ = (Clock::now() + grace_).time_since_epoch().count();
    stopped_.set();
}

bool ShutdownGrace::wait(int fd) {
    for (bool stopped = false;;) {
        auto left = std::chrono::milliseconds(-1); // for ever
        if (stopped) {
            const auto until = Clock::time_point(Clock::duration(until_.load()));
            left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
            left = std::clamp(left, std::chrono::milliseconds(0), grace_);
        }
        pollfd fds[2] = {{fd, POLLOUT, 0}, {stopped ? -1 : stopped_.fd(), POLLIN, 0}};
        const int ready = ::poll(fds, 2, static_cast<int>(left.count()));
        if (ready < 0) continue; // EINTR
        if (fds[0].revents != 0) return true;
        if (stopped && ready == 0) {
            over_ = true;
            return false;
        }
        stopped = stopped || fds[1].revents != 0;
    }
}

} // namespace cmd
