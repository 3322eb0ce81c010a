#include "base/output_file.hpp"

#include "base/descriptor.hpp"
#include "base/random.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace sse {

namespace {

[[noreturn]] void throw_errno(const std::string& what, int error = errno) {
    throw std::system_error(error, std::generic_category(), what);
}

bool is_trusted(uid_t owner) { return owner == ::geteuid() || owner == 0; }

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == path.npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_sticky(const std::string& directory) {
    struct stat status {};
    return ::stat(directory.c_str(), &status) == 0 && (status.st_mode & S_ISVTX) != 0;
}

/// Throws if `path` is a symbolic link that somebody else made. False if it is not a link.
bool is_trusted_link(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) return false;
    if (is_trusted(status.st_uid)) return true;
    throw_errno(fmt::format("{} is a symbolic link owned by another user", path), EACCES);
}

/// `beside` with a random suffix that no other process can guess.
std::string random_name(const std::string& beside) {
    return fmt::format("{}.{:016x}", beside, random_bits());
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const auto wrote = ::write(fd, bytes.data(), bytes.size());
        if (wrote >= 0) bytes.remove_prefix(static_cast<std::size_t>(wrote));
        else if (errno != EINTR) throw_errno(fmt::format("cannot write {}", path));
    }
}

} // namespace

int open_output_file(const std::string& path, Existing existing, unsigned mode) {
    const int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY |
                      (existing == Existing::appended ? O_APPEND : 0) |
                      (is_trusted_link(path) ? 0 : O_NOFOLLOW);
    Descriptor file(::open(path.c_str(), flags, static_cast<mode_t>(mode)));
    if (file.get() < 0) throw_errno(fmt::format("cannot create {}", path));
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw_errno(fmt::format("cannot create {}", path));
    if (!S_ISREG(status.st_mode)) return file.release();
    if (!is_trusted(status.st_uid) && is_sticky(directory_of(path)))
        throw_errno(fmt::format("{} is owned by another user", path), EACCES);
    if (existing == Existing::truncated && ::ftruncate(file.get(), 0) != 0)
        throw_errno(fmt::format("cannot create {}", path));
    return file.release();
}

std::string replaced_file(const std::string& path) {
    if (!is_trusted_link(path)) return path;
    const std::unique_ptr<char, void (*)(void*)> target(::realpath(path.c_str(), nullptr),
                                                        std::free);
    return target ? target.get() : path;
}

void replace_file(const std::string& path, std::string_view contents, unsigned mode) {
    const auto target = replaced_file(path);
    const auto name = random_name(target);
    Descriptor file(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           static_cast<mode_t>(mode)));
    if (file.get() < 0) throw_errno(fmt::format("cannot write {}", path));
    try {
        struct stat before {};
        if (::stat(target.c_str(), &before) == 0) // else the new file has the mode of the umask
            [[maybe_unused]]
            const auto kept = ::fchmod(file.get(), before.st_mode & 07777);
        write_all(file.get(), contents, path);
        if (::close(file.release()) != 0 || std::rename(name.c_str(), target.c_str()) != 0)
            throw_errno(fmt::format("cannot write {}", path));
    } catch (...) {
        ::unlink(name.c_str());
        throw;
    }
}

} // namespace sse
