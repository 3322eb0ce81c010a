#include "cmd/cli/output.hpp"

#include "cmd/cli/stdout_text.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace cmd {

Output::Output(int fd, sse::Interrupt& interrupt)
    : fd_(fd)
    , interrupt_(interrupt)
    , is_terminal_(::isatty(fd) == 1)
    , at_once_(SIZE_MAX) {
    struct stat about {};
    if (::fstat(fd, &about) != 0) throw stdout_failure(errno);
    // A write to a full pipe or a stopped terminal blocks, and then no signal and no time limit is
    // heard of: there it goes in pieces that fit. Files and /dev/null never block.
    if (S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode) || is_terminal_) {
        at_once_ = PIPE_BUF;
        interrupt.watch_reader(fd);
    }
    text_.reserve(enough * 2);
}

bool Output::flush() {
    std::string_view rest = text_;
    while (!rest.empty()) {
        if (at_once_ != SIZE_MAX) {
            pollfd room{fd_, POLLOUT, 0};
            const bool has_room = ::poll(&room, 1, 0) > 0;
            if (!has_room && !interrupt_.wait_for_output(fd_, POLLOUT)) break;
        }
        const auto taken = ::write(fd_, rest.data(), std::min(rest.size(), at_once_));
        if (taken >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(taken));
        } else if (errno == EPIPE || errno == ECONNRESET) {
            interrupt_.raise(sse::Interrupt::Reason::reader_gone);
            lost_ = true;
            break;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!interrupt_.wait_for_output(fd_, POLLOUT)) break;
        } else if (errno != EINTR) {
            const int error = errno;
            lost_ = true;
            text_.clear(); // what cannot be written now will not be later
            throw stdout_failure(error);
        }
    }
    if (lost_) text_.clear();
    else text_.erase(0, text_.size() - rest.size());
    return text_.empty() && !lost_;
}

} // namespace cmd
