#include "net/drop_privileges.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"

#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <system_error>
#include <unistd.h>

namespace sse {

namespace {

std::optional<unsigned> number(const std::string& text) {
    unsigned value = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

[[noreturn]] void refuse(const std::string& why) { throw Error(Errc::invalid_argument, why); }

void check(bool done, const UserIds& user) {
    if (done) return;
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot change to user {}", user.name));
}

} // namespace

UserIds resolve_user(const std::string& text) {
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    UserIds ids{text, 0, 0};
    const auto* entry = ::getpwnam(name.c_str());
    if (const auto uid = number(name); !entry && uid) {
        entry = ::getpwuid(*uid);
        ids.uid = ids.gid = *uid;
        if (!entry && colon == text.npos) refuse(fmt::format("user {} has no group", name));
    } else if (!entry) {
        refuse(fmt::format("unknown user {}", name));
    }
    if (entry) {
        ids.uid = entry->pw_uid;
        ids.gid = entry->pw_gid;
    }
    if (colon != text.npos) {
        const auto group = text.substr(colon + 1);
        const auto* found = ::getgrnam(group.c_str());
        const auto gid = number(group);
        if (!found && !gid) refuse(fmt::format("unknown group {}", group));
        ids.gid = found ? found->gr_gid : *gid;
    }
    if (ids.uid == 0) refuse(fmt::format("user {} is root", name));
    return ids;
}

void drop_privileges(const UserIds& user) {
    if (::getuid() == user.uid && ::geteuid() == user.uid && ::getegid() == user.gid) return;
    const auto* entry = ::getpwuid(user.uid);
    check((entry ? ::initgroups(entry->pw_name, user.gid) : ::setgroups(0, nullptr)) == 0, user);
    check(::setgid(user.gid) == 0, user);
    check(::setuid(user.uid) == 0, user);
    if (!is_only_user(user.uid) || ::setuid(0) == 0 || ::seteuid(0) == 0) {
        throw Error(Errc::io, fmt::format("root could be regained from user {}", user.name));
    }
}

} // namespace sse
