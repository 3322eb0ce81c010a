// The account that a server goes on as, once it has bound what only root may bind.
#pragma once

#include <string>
#include <sys/types.h>

namespace sse {

struct Account {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
};

/// `NAME[:GROUP]`, names or numbers; the group is the user's own if none is given. Throws Error
/// (invalid_argument): nobody of that name, or root, which is no one to become.
Account find_account(const std::string& text);

/// Goes on as `account`, all threads of the process, for good: its supplementary groups, its group,
/// its user. Throws std::system_error if the system refuses, and Error (io) if root could be had
/// back. Does nothing if it is `account` already.
void become(const Account& account);

} // namespace sse
