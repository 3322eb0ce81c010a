#include "cmd/cli/output.hpp"

#include "base/errno_text.hpp"
#include "base/posix.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <fmt/format.h>
#include <iterator>
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
    return {Exit::io_error,
            fmt::format("cannot write to standard output: {}", sse::errno_text(error)),
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

/// False if the wait gave up.
bool Output::wait_for_room() const {
    pollfd room{fd_, POLLOUT, 0};
    if (::poll(&room, 1, 0) > 0) return true;
    if (options_.wait) return options_.wait(fd_);
    while (::poll(&room, 1, -1) < 0) {
    } // EINTR
    return true;
}

void Output::on_closed() {
    if (!std::exchange(stopped_, true) && options_.on_reader_gone) options_.on_reader_gone();
}

/// The first end of a unit at or after `at`; 0 is one, too.
std::size_t Output::end_of_unit(std::size_t at) const {
    if (at == 0) return 0;
    const auto end = std::lower_bound(ends_.begin(), ends_.end(), at);
    return end == ends_.end() ? text_.size() : *end;
}

/// The end of the next write at `at`. A large write to a full pipe or a stopped terminal blocks,
/// deaf to signals and time limits; after poll() reports room, PIPE_BUF bytes never block. A unit
/// of up to that size is not divided among writes, so that only a larger one can be written in
/// part.
std::size_t Output::end_of_piece(std::size_t at) const {
    if (!may_block_ || text_.size() - at <= PIPE_BUF) return text_.size();
    const auto next = std::upper_bound(ends_.begin(), ends_.end(), at + PIPE_BUF);
    const auto begin = next == ends_.begin() ? at : std::max(*std::prev(next), at);
    const auto end = next == ends_.end() ? text_.size() : *next;
    return begin == at || end - begin > PIPE_BUF ? at + PIPE_BUF : begin;
}

/// Empties the buffer, of which `written` bytes are written.
void Output::discard(std::size_t written) {
    written_ += written;
    discarded_ += text_.size() - written;
    text_.clear();
    ends_.clear();
}

/// Writes from `at`, which it advances, up to `end`. False if there was no room.
bool Output::write_piece(std::size_t& at, std::size_t end) {
    const auto wrote = ::write(fd_, text_.data() + at, end - at);
    if (wrote >= 0) {
        at += static_cast<std::size_t>(wrote);
    } else if (errno == EPIPE || errno == ECONNRESET) {
        on_closed();
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return false;
    } else if (errno != EINTR) {
        const int error = errno;
        stopped_ = true;
        discard(at); // a later flush() would fail on it again
        throw stdout_failure(error);
    }
    return true;
}

/// Completes the unit that is written up to `at`, if the reader accepts it within the grace time.
void Output::finish_unit(std::size_t& at) {
    using namespace std::chrono;
    const auto end = end_of_unit(at);
    const auto until = steady_clock::now() + options_.grace;
    while (at < end && !stopped_) {
        const auto left = ceil<milliseconds>(until - steady_clock::now()).count();
        pollfd room{fd_, POLLOUT, 0};
        if (left <= 0 || ::poll(&room, 1, static_cast<int>(left)) == 0) return;
        write_piece(at, std::min<std::size_t>(end, at + PIPE_BUF));
    }
}

bool Output::flush() {
    if (escapes_) {
        std::string shown;
        sse::append_printable(text_, shown, "\n\t");
        text_.swap(shown);
        ends_.clear();
    }
    std::size_t at = 0;
    while (at < text_.size() && !stopped_) {
        const bool room = !may_block_ || wait_for_room();
        if (room && (write_piece(at, end_of_piece(at)) || wait_for_room())) continue;
        finish_unit(at);
        stopped_ = true;
    }
    discard(at);
    return !stopped_;
}

bool Output::wait_until(std::chrono::steady_clock::time_point when) {
    using namespace std::chrono;
    while (!stopped_) {
        const auto now = steady_clock::now();
        if (now >= when) return true;
        const auto left = std::min<nanoseconds>(when - now, hours(1));
        pollfd reader{fd_, 0, 0}; // without events poll() still reports POLLERR and POLLHUP
        if (sse::poll_for({&reader, 1}, left) > 0 && (reader.revents & (POLLERR | POLLHUP)) != 0)
            on_closed();
    }
    return false;
}

} // namespace cmd
