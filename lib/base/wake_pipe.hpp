// A descriptor that becomes readable when another thread says so.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace sse {

/// Once told it stays told. tell() on any thread, and in a signal handler.
class WakePipe {
public:
    /// Throws std::system_error.
    WakePipe() {
        if (::pipe2(fds_, O_CLOEXEC | O_NONBLOCK) != 0)
            throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    }
    ~WakePipe() {
        ::close(fds_[0]);
        ::close(fds_[1]);
    }
    WakePipe(const WakePipe&) = delete;
    WakePipe& operator=(const WakePipe&) = delete;

    void tell() {
        [[maybe_unused]] const auto ignored = ::write(fds_[1], "", 1); // full: it has been told
    }
    bool told() const {
        pollfd ready{fds_[0], POLLIN, 0};
        return ::poll(&ready, 1, 0) > 0;
    }
    /// Readable once told.
    int fd() const { return fds_[0]; }

private:
    int fds_[2] = {-1, -1};
};

} // namespace sse
