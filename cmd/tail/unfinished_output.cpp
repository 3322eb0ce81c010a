#include "cmd/tail/unfinished_output.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

namespace cmd {

namespace {

constexpr std::size_t block_bytes = 64 * 1024;

std::string read_at(int fd, std::size_t at, std::size_t size) {
    std::string bytes(size, '\0');
    const auto got = ::pread(fd, bytes.data(), size, static_cast<off_t>(at));
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
}

/// The offset after the last `mark` in the file of `size` bytes; 0 if there is none.
std::size_t after_last(int fd, std::size_t size, std::string_view mark) {
    for (auto end = size; end > 0;) {
        const auto begin = end > block_bytes ? end - block_bytes : 0;
        const auto extra = std::min(size - end, mark.size() - 1); // a mark may cross the boundary
        const auto found = read_at(fd, begin, end - begin + extra).rfind(mark);
        if (found != std::string::npos) return begin + found + mark.size();
        end = begin;
    }
    return 0;
}

/// One of `beginnings` begins `text`, or is begun by it.
bool begins_like(std::string_view text, std::initializer_list<std::string_view> beginnings) {
    return std::any_of(beginnings.begin(), beginnings.end(), [&](auto beginning) {
        return text.starts_with(beginning) || beginning.starts_with(text);
    });
}

} // namespace

Repair repair_unfinished_output(int fd, EventEnd end, bool may_remove) {
    struct stat status {};
    const int flags = ::fcntl(fd, F_GETFL);
    if (end == EventEnd::none || flags < 0 || (flags & O_APPEND) == 0) return Repair::nothing;
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size == 0)
        return Repair::nothing;
    const auto size = static_cast<std::size_t>(status.st_size);
    // `>>` opens for writing only.
    const sse::Descriptor file(sse::open_again(fd, O_RDONLY));
    if (file.get() < 0) return Repair::nothing;
    const std::string_view mark = end == EventEnd::block ? "\n\n" : "\n";
    const auto complete = after_last(file.get(), size, mark);
    if (complete == size) return Repair::nothing;
    const auto rest = read_at(file.get(), complete, std::min<std::size_t>(size - complete, 16));
    const bool ours =
        (end == EventEnd::object && begins_like(rest, {R"({"time":")"})) ||
        (end == EventEnd::block && begins_like(rest, {"id:", "event:", "data:", "retry:"}));
    if (may_remove && ours && ::ftruncate(fd, static_cast<off_t>(complete)) == 0)
        return Repair::removed;
    const bool ends_line = read_at(file.get(), size - 1, 1) == "\n";
    const auto missing = mark.substr(ends_line ? 1 : 0);
    const auto wrote = ::write(fd, missing.data(), missing.size());
    return wrote == static_cast<ssize_t>(missing.size()) ? Repair::ended : Repair::nothing;
}

} // namespace cmd
