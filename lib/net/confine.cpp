#include "net/confine.hpp"

#include "base/descriptor.hpp"
#include "net/drop_privileges.hpp"

#ifdef __linux__
#include <sys/syscall.h>
#endif
#if defined(SYS_landlock_create_ruleset) && __has_include(<linux/landlock.h>)
#include <cstdint>
#include <fcntl.h>
#include <linux/landlock.h>
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

void allow(int rules, const std::string& directory) {
    const Descriptor fd(::open(directory.c_str(), O_PATH | O_CLOEXEC | O_DIRECTORY));
    if (fd.get() < 0) return;
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = forbidden & ~std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE};
    beneath.parent_fd = fd.get();
    // One that fails allows less.
    (void)::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

} // namespace

bool forbid_programs_and_changes(const std::vector<std::string>& except) {
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = forbidden;
    const Descriptor rules(static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled.handled_access_fs), 0)));
    if (rules.get() < 0) return false;
    for (const auto& directory : except) allow(rules.get(), directory);
    return forbid_new_privileges() && ::syscall(SYS_landlock_restrict_self, rules.get(), 0) == 0;
}

#else

bool forbid_programs_and_changes(const std::vector<std::string>&) { return false; }

#endif

} // namespace sse
