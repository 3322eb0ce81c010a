#include "cmd/replay/spool.hpp"

#include "base/posix.hpp"
#include "cmd/cli/command.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace cmd {

namespace {

[[noreturn]] void fail(const std::string& what, const char* hint) {
    throw Failure(Exit::io_error, fmt::format("{}: {}", what, std::strerror(errno)), hint);
}

} // namespace

Spool::Spool() {
    const char* directory = std::getenv("TMPDIR");
    path_ = fmt::format("{}/sse-replay-XXXXXX",
                        directory != nullptr && *directory != '\0' ? directory : "/tmp");
    fd_ = ::mkstemp(path_.data());
    if (fd_ < 0) fail(fmt::format("cannot create {}", path_), "set TMPDIR to a writable directory");
    // Unlinked if it can be opened by descriptor, so that it is deleted however the process ends.
    const auto nameless = sse::path_of(fd_);
    if (!nameless) return;
    ::unlink(path_.c_str());
    path_ = *nameless;
    nameless_ = true;
}

Spool::~Spool() {
    stop_.set();
    if (thread_.joinable()) thread_.join();
    ::close(fd_);
    if (source_ >= 0) ::close(source_);
    if (!nameless_) ::unlink(path_.c_str());
}

void Spool::open(const std::string& source) {
    const bool is_stdin = source == "-";
    source_name_ = is_stdin ? "stdin" : source;
    source_ = is_stdin ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                       : ::open(source.c_str(), O_RDONLY | O_CLOEXEC);
    if (source_ < 0)
        fail(fmt::format("cannot open {}", source_name_),
             "name a readable recording, or - for standard input");
}

bool Spool::copy(bool one_line) {
    std::array<char, 64 * 1024> bytes;
    for (;;) {
        std::array<pollfd, 2> ready{pollfd{source_, POLLIN, 0}, pollfd{stop_.fd(), POLLIN, 0}};
        if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) fail("cannot wait", "");
        if (ready[1].revents != 0) return true;
        if (ready[0].revents == 0) continue;
        const auto got = ::read(source_, bytes.data(), bytes.size());
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) fail(fmt::format("cannot read {}", source_name_), "");
        if (got == 0) return true;
        const auto size = static_cast<std::size_t>(got);
        for (std::size_t done = 0; done < size;) {
            const auto wrote = ::write(fd_, bytes.data() + done, size - done);
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote < 0)
                fail(fmt::format("cannot copy {} to a temporary file", source_name_),
                     "set TMPDIR to a directory with enough space, or name a file instead of -");
            done += static_cast<std::size_t>(wrote);
        }
        if (one_line && std::memchr(bytes.data(), '\n', size) != nullptr) return false;
    }
}

void Spool::copy(const std::string& source) {
    open(source);
    copy(false);
}

std::shared_ptr<const std::atomic<bool>> Spool::follow(const std::string& source) {
    open(source);
    auto growing = std::make_shared<std::atomic<bool>>(true);
    if (copy(true)) {
        *growing = false;
        return growing;
    }
    thread_ = std::thread([this, growing] {
        try {
            copy(false);
        } catch (const Failure& e) {
            warn(e.what());
        }
        *growing = false;
    });
    return growing;
}

} // namespace cmd
