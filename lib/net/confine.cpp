#include "net/confine.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"

#ifdef SSE_LINUX
#include <sys/syscall.h>
#endif
#if defined(SYS_landlock_create_ruleset) && __has_include(<linux/landlock.h>)
#include <algorithm>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <linux/landlock.h>
#include <system_error>
#include <unistd.h>
#define SSE_HAS_LANDLOCK
#endif

namespace sse {

#ifdef SSE_HAS_LANDLOCK

namespace {

/// Of the first version of Landlock, which all later ones know.
constexpr std::uint64_t forbidden =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
    LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

constexpr std::uint64_t writes = forbidden & ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
constexpr std::uint64_t reads = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/// `path` and, if it is a directory, what is below it.
void allow(int rules, const std::string& path, std::uint64_t access) {
    const Descriptor fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (fd.get() < 0) return;
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = access;
    beneath.parent_fd = fd.get();
    // One that fails allows less.
    (void)::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

/// By the name of a descriptor of this process; there is no directory to find it in.
bool is_own_descriptor(const std::string& path) { return path.starts_with("/proc/self/fd/"); }

/// No part of it is a symbolic link.
bool is_direct(const std::filesystem::path& path) {
    std::error_code error;
    const auto absolute = std::filesystem::absolute(path, error).lexically_normal();
    return !error && std::filesystem::weakly_canonical(path, error) == absolute && !error;
}

void allow_reading(int rules, const std::string& file) {
    if (is_own_descriptor(file)) return allow(rules, file, LANDLOCK_ACCESS_FS_READ_FILE);
    std::error_code error;
    auto directory = std::filesystem::absolute(file, error).lexically_normal().parent_path();
    while (directory.has_relative_path() && !std::filesystem::exists(directory, error))
        directory = directory.parent_path(); // it may be created later
    allow(rules, directory.string(), reads);
}

} // namespace

bool confine_thread(const Confinement& allowed) {
    const auto& readable = allowed.readable;
    const bool restricts_reading =
        readable && std::all_of(readable->begin(), readable->end(), [](const auto& file) {
            return is_own_descriptor(file) || is_direct(file);
        });
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = forbidden | (restricts_reading ? reads : 0);
    const Descriptor rules(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled.handled_access_fs), 0)));
    if (rules.get() < 0) return false;
    for (const auto& directory : allowed.writable) allow(rules.get(), directory, writes);
    if (restricts_reading) {
        for (const auto& file : *readable) allow_reading(rules.get(), file);
        // Metrics and sanitizers. What /proc tells of other processes is that which ptrace() may
        // see.
        allow(rules.get(), "/proc", reads);
    }
    return forbid_new_privileges() && ::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0;
}

#else

bool confine_thread(const Confinement&) { return false; }

#endif

} // namespace sse
