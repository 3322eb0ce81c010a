#include "cmd/cli/output.hpp"

#include "base/printable.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

bool reader_has_gone() {
    pollfd out{STDOUT_FILENO, 0, 0};
    return ::poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

Failure stdout_failure(int error) {
    return {
        Exit::io_error,
        fmt::format("cannot write to standard output: {}", std::generic_category().message(error)),
        error == ENOSPC ? "free space on the disk, or redirect the output to another one"
                        : "redirect the output to a file or a pipe that can be written"};
}

Output::Output(int fd, OutputOptions options)
    : fd_(fd)
    , options_(std::move(options)) {
    struct stat about {};
    if (::fstat(fd, &about) != 0) throw stdout_failure(errno);
    may_block_ = S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || ::isatty(fd) == 1;
    escapes_ = options_.escape_on_terminal && ::isatty(fd) == 1;
    text_.reserve(enough * 2);
}

/// Waits for room if there is none; false if that wait gave up.
bool Output::has_room() {
    pollfd room{fd_, POLLOUT, 0};
    if (::poll(&room, 1, 0) > 0) return true;
    if (options_.wait) return options_.wait(fd_);
    while (::poll(&room, 1, -1) < 0) {
    } // EINTR
    return true;
}

void Output::close() {
    if (!std::exchange(stopped_, true) && options_.on_reader_gone) options_.on_reader_gone();
}

bool Output::flush() {
    if (escapes_) { // text left over from an earlier call does not change
        std::string shown;
        sse::append_printable(text_, shown, "\n\t");
        text_.swap(shown);
    }
    // A large write to a full pipe or a stopped terminal blocks, deaf to signals and time limits.
    // After poll() reports room, PIPE_BUF bytes never block. Files never do.
    const std::size_t piece = may_block_ ? PIPE_BUF : SIZE_MAX;
    std::string_view rest = text_;
    while (!rest.empty() && !stopped_) {
        if (may_block_ && !has_room()) break;
        const auto wrote = ::write(fd_, rest.data(), std::min(rest.size(), piece));
        if (wrote >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(wrote));
        } else if (errno == EPIPE || errno == ECONNRESET) {
            close();
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!has_room()) break;
        } else if (errno != EINTR) {
            const int error = errno;
            stopped_ = true;
            text_.clear(); // a later flush() would fail on it again
            throw stdout_failure(error);
        }
    }
    if (stopped_) text_.clear();
    else text_.erase(0, text_.size() - rest.size());
    return text_.empty() && !stopped_;
}

bool Output::wait_until(std::chrono::steady_clock::time_point when) {
    using namespace std::chrono;
    while (!stopped_) {
        const auto now = steady_clock::now();
        if (now >= when) return true;
        const auto left = std::min<nanoseconds>(when - now, hours(1));
        const timespec time{static_cast<time_t>(left / seconds(1)),
                            static_cast<long>((left % seconds(1)).count())};
        pollfd reader{fd_, 0, 0}; // without events poll() still reports POLLERR and POLLHUP
        if (::ppoll(&reader, 1, &time, nullptr) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0)
            close();
    }
    return false;
}

} // namespace cmd
