#include "cmd/serve/tee.hpp"

#include "cmd/cli/command.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace cmd {

namespace {

/// Bytes that one write() accepts without blocking once poll(2) reports room: PIPE_BUF for a pipe,
/// a large piece for a file.
std::size_t bytes_at_once(int fd) {
    struct stat status {};
    const bool file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    return file ? 1024 * 1024 : PIPE_BUF;
}

} // namespace

Tee::Tee(int fd)
    : fd_(fd)
    , at_once_(bytes_at_once(fd)) {}

void Tee::write(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    if (!ended_) write_all(bytes);
}

void Tee::write_all(std::string_view bytes) {
    while (!bytes.empty()) {
        pollfd fds[2] = {{fd_, POLLOUT, 0}, {stopped_.fd(), POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0) continue; // EINTR
        if (fds[1].revents != 0) {
            ended_ = true;
            return;
        }
        const auto wrote = ::write(fd_, bytes.data(), std::min(bytes.size(), at_once_));
        if (wrote >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(wrote));
        } else if (errno != EINTR && errno != EAGAIN) {
            ended_ = true;
            const bool gone = errno == EPIPE;
            return gone ? note("standard output was closed; --tee stops copying")
                        : warn(fmt::format(
                              "cannot write to standard output: {}; --tee stops copying",
                              std::strerror(errno)));
        }
    }
}

void TeeInput::write(std::string_view bytes) {
    if (!beside_others_) return tee_.write(bytes);
    const auto last = bytes.rfind(end_);
    if (last == bytes.npos) {
        rest_.append(bytes);
    } else {
        rest_.append(bytes.substr(0, last + 1));
        tee_.write(rest_);
        rest_ = bytes.substr(last + 1);
    }
    if (rest_.size() > max_bytes_) {
        tee_.write(rest_);
        rest_.clear();
    }
}

void TeeInput::finish() {
    if (rest_.empty()) return;
    rest_.push_back(end_);
    tee_.write(rest_);
    rest_.clear();
}

} // namespace cmd
