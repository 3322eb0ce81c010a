#include "net/drop_privileges.hpp"

#include "base/error.hpp"

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

void must(bool done, const Account& account) {
    if (done) return;
    throw std::system_error(errno, std::generic_category(),
                            fmt::format("cannot become {}", account.name));
}

} // namespace

Account find_account(const std::string& text) {
    const auto colon = text.find(':');
    const auto user = text.substr(0, colon);
    Account account{text, 0, 0};
    const auto* entry = ::getpwnam(user.c_str());
    if (const auto uid = number(user); !entry && uid) {
        entry = ::getpwuid(*uid);
        account.uid = account.gid = *uid;
        if (!entry && colon == text.npos) refuse(fmt::format("user {} has no group", user));
    } else if (!entry) {
        refuse(fmt::format("no user is called {}", user));
    }
    if (entry) {
        account.uid = entry->pw_uid;
        account.gid = entry->pw_gid;
    }
    if (colon != text.npos) {
        const auto group = text.substr(colon + 1);
        const auto* found = ::getgrnam(group.c_str());
        const auto gid = number(group);
        if (!found && !gid) refuse(fmt::format("no group is called {}", group));
        account.gid = found ? found->gr_gid : *gid;
    }
    if (account.uid == 0) refuse(fmt::format("user {} is root", user));
    return account;
}

void become(const Account& account) {
    if (::getuid() == account.uid && ::geteuid() == account.uid && ::getegid() == account.gid)
        return;
    const auto* entry = ::getpwuid(account.uid);
    must((entry ? ::initgroups(entry->pw_name, account.gid) : ::setgroups(0, nullptr)) == 0,
         account);
    must(::setgid(account.gid) == 0, account);
    must(::setuid(account.uid) == 0, account);
    uid_t real = 0, effective = 0, saved = 0;
    ::getresuid(&real, &effective, &saved);
    if (real != account.uid || effective != account.uid || saved != account.uid ||
        ::setuid(0) == 0 || ::seteuid(0) == 0) {
        throw Error(Errc::io, fmt::format("root could be had back from {}", account.name));
    }
}

} // namespace sse
