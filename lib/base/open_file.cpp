#include "base/open_file.hpp"

#include "base/descriptor.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>

namespace sse {

int open_for_reading(const std::string& path) {
    return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

std::string read_file(const std::string& path, const std::string& what, const OpenFile& open,
                      std::size_t max_bytes) {
    const auto fail = [&](int error) {
        throw std::system_error(
            error, std::generic_category(),
            fmt::format("cannot read {}{}{}", what, what.empty() ? "" : " ", path));
    };
    const Descriptor file(open ? open(path) : open_for_reading(path));
    if (file.get() < 0) fail(errno);
    // Now that it is open: what a process substitution of a shell is about to write is waited for.
    if (const int flags = ::fcntl(file.get(), F_GETFL); flags >= 0)
        ::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK);
    std::string contents;
    std::array<char, 64 * 1024> buffer;
    for (;;) {
        const auto got = ::read(file.get(), buffer.data(), buffer.size());
        if (got == 0) return contents;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail(errno);
        contents.append(buffer.data(), static_cast<std::size_t>(got));
        if (contents.size() > max_bytes) fail(EFBIG);
    }
}

} // namespace sse
