#include "input/input_reader.hpp"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace sse {

namespace {

[[noreturn]] void fail(const char* verb, const std::string& name, int error) {
    throw std::system_error(error, std::generic_category(),
                            fmt::format("cannot {} {}", verb, name));
}

bool is_stdin(const std::string& path) { return path == "-" || path == "/dev/stdin"; }

/// Not waiting for the writer of a FIFO: poll() does, where stop() is heard.
int open_input(const std::string& path, bool keep_fifo) {
    if (is_stdin(path)) return ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
    struct stat status {};
    const bool kept = keep_fifo && ::stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
    // Open for writing as well, so that the FIFO is never without a writer, which would be its end.
    return ::open(path.c_str(), (kept ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

} // namespace

InputReader::InputReader(const std::string& path, InputReaderOptions options)
    : name_(is_stdin(path) ? "standard input" : path)
    , options_(options)
    , fd_(open_input(path, options.keep_fifo)) {
    if (fd_ < 0) fail("open", name_, errno);
    struct stat status {};
    if (::fstat(fd_, &status) != 0) return;
    if (S_ISDIR(status.st_mode)) {
        ::close(fd_);
        fail("read", name_, EISDIR);
    }
    plain_ = S_ISREG(status.st_mode);
}

InputReader::~InputReader() { ::close(fd_); }

bool InputReader::run(Sink& sink) {
    std::vector<char> buffer(options_.read_bytes);
    for (;;) {
        pollfd fds[2] = {{fd_, POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0) {
            if (errno == EINTR) continue;
            fail("read", name_, errno);
        }
        if (fds[1].revents != 0) return false;
        const auto got = ::read(fd_, buffer.data(), buffer.size());
        if (got == 0) return true;
        if (got > 0) {
            sink.on_bytes({buffer.data(), static_cast<std::size_t>(got)});
        } else if (errno != EINTR && errno != EAGAIN) {
            fail("read", name_, errno);
        }
    }
}

} // namespace sse
