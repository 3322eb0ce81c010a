// A descriptor that one thread makes readable to wake another one from poll(). Carries no data.
#pragma once

#include "base/posix.hpp"

#include <cerrno>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace sse {

/// Set or not set, like an event object. set() and is_set() on any thread, set() in signal handlers
/// as well; reset() on the thread that waits.
class WakePipe {
public:
    /// Throws std::system_error.
    WakePipe() {
        if (!make_pipe(fds_, true))
            throw std::system_error(errno, std::generic_category(), "cannot create a pipe");
    }
    ~WakePipe() {
        ::close(fds_[0]);
        ::close(fds_[1]);
    }
    WakePipe(const WakePipe&) = delete;
    WakePipe& operator=(const WakePipe&) = delete;

    void set() noexcept {
        const int saved = errno;
        [[maybe_unused]] const auto ignored = ::write(fds_[1], "", 1); // full: it is set
        errno = saved;
    }
    bool is_set() const {
        pollfd ready{fds_[0], POLLIN, 0};
        return ::poll(&ready, 1, 0) > 0;
    }
    /// What other threads did before set() is visible behind it.
    void reset() {
        char bytes[64];
        while (::read(fds_[0], bytes, sizeof bytes) > 0) {
        }
    }
    /// Readable while set.
    int fd() const { return fds_[0]; }

private:
    int fds_[2] = {-1, -1};
};

} // namespace sse
