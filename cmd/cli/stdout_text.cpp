#include "cmd/cli/stdout_text.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

namespace cmd {

bool reader_has_gone() {
    pollfd out{STDOUT_FILENO, 0, 0};
    return ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

Failure stdout_failure(int error) {
    return {Exit::io_error,
            fmt::format("cannot write to stdout: {}", std::generic_category().message(error)),
            error == ENOSPC ? "make room on the disk, or send the output elsewhere"
                            : "send the output elsewhere"};
}

bool StdoutText::flush() {
    std::size_t done = 0;
    while (!closed_ && done < text_.size()) {
        const auto wrote = ::write(STDOUT_FILENO, text_.data() + done, text_.size() - done);
        if (wrote >= 0) {
            done += static_cast<std::size_t>(wrote);
        } else if (errno == EAGAIN) {
            pollfd ready{STDOUT_FILENO, POLLOUT, 0};
            ::poll(&ready, 1, -1);
        } else if (errno == EPIPE) {
            closed_ = true;
        } else if (errno != EINTR) {
            throw stdout_failure(errno);
        }
    }
    text_.clear();
    return !closed_;
}

bool StdoutText::wait_until(std::chrono::steady_clock::time_point when) {
    using namespace std::chrono;
    while (!closed_) {
        const auto now = steady_clock::now();
        if (now >= when) return true;
        const auto left = std::min<nanoseconds>(when - now, hours(1));
        const timespec time{static_cast<time_t>(left / seconds(1)),
                            static_cast<long>((left % seconds(1)).count())};
        pollfd reader{STDOUT_FILENO, 0, 0}; // no events asked for: POLLERR alone is told
        if (::ppoll(&reader, 1, &time, nullptr) > 0) {
            if ((reader.revents & (POLLERR | POLLHUP)) != 0) closed_ = true;
        }
    }
    return false;
}

} // namespace cmd
