#include "source/input_reader.hpp"

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

void close_if_open(int fd) {
    if (fd >= 0) ::close(fd);
}

} // namespace

InputReader::InputReader(const std::string& path, InputReaderOptions options)
    : name_(path == "-" ? "standard input" : path)
    , options_(options) {
    fd_ = path == "-" ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) fail("open", name_, errno);
    struct stat status {};
    const bool directory = ::fstat(fd_, &status) == 0 && S_ISDIR(status.st_mode);
    if (directory || ::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) != 0) {
        const int error = directory ? EISDIR : errno;
        ::close(fd_);
        fail("read", name_, error);
    }
}

InputReader::~InputReader() {
    close_if_open(fd_);
    close_if_open(wake_[0]);
    close_if_open(wake_[1]);
}

void InputReader::stop() {
    [[maybe_unused]] const auto ignored = ::write(wake_[1], "", 1); // full: it has been told
}

bool InputReader::run(const std::function<void(std::string_view)>& on_bytes) {
    std::vector<char> buffer(options_.read_bytes);
    for (;;) {
        pollfd fds[2] = {{fd_, POLLIN, 0}, {wake_[0], POLLIN, 0}};
        if (::poll(fds, 2, -1) < 0) {
            if (errno == EINTR) continue;
            fail("read", name_, errno);
        }
        if (fds[1].revents != 0) return false;
        const auto got = ::read(fd_, buffer.data(), buffer.size());
        if (got == 0) return true;
        if (got > 0) {
            on_bytes({buffer.data(), static_cast<std::size_t>(got)});
        } else if (errno != EINTR && errno != EAGAIN) {
            fail("read", name_, errno);
        }
    }
}

} // namespace sse
