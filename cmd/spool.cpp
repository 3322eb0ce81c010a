#include "cmd/spool.hpp"

#include "cmd/command.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <unistd.h>

namespace cmd {

namespace {

void copy(int from, int to) {
    std::array<char, 64 * 1024> bytes;
    for (;;) {
        const auto got = ::read(from, bytes.data(), bytes.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            throw Failure(Exit::io_error,
                          fmt::format("cannot read stdin: {}", std::strerror(errno)));
        if (got == 0) return;
        for (ssize_t done = 0; done < got;) {
            const auto wrote =
                ::write(to, bytes.data() + done, static_cast<std::size_t>(got - done));
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote < 0) {
                throw Failure(Exit::io_error,
                              fmt::format("cannot keep stdin in a file: {}", std::strerror(errno)),
                              "TMPDIR names a directory with room, or name a file instead of -");
            }
            done += wrote;
        }
    }
}

} // namespace

Spool::Spool(const std::string& path)
    : path_(path) {
    if (path != "-") return;
    const char* directory = std::getenv("TMPDIR");
    path_ = fmt::format("{}/sse-replay-XXXXXX",
                        directory != nullptr && *directory != '\0' ? directory : "/tmp");
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) {
        throw Failure(Exit::io_error,
                      fmt::format("cannot create {}: {}", path_, std::strerror(errno)),
                      "TMPDIR names a directory that can be written to");
    }
    temporary_ = true;
    try {
        copy(STDIN_FILENO, fd);
    } catch (...) {
        ::close(fd);
        ::unlink(path_.c_str());
        throw;
    }
    ::close(fd);
}

Spool::~Spool() {
    if (temporary_) ::unlink(path_.c_str());
}

} // namespace cmd
