// Giving up root for another user, once what only root may bind is bound.
#pragma once

#include <string>
#include <sys/types.h>

namespace sse {

struct UserIds {
    std::string name; ///< as it was given
    uid_t uid = 0;
    gid_t gid = 0;
};

/// Looks up `NAME[:GROUP]`, names or numbers; without a group the user's own is taken. Throws Error
/// (invalid_argument) for an unknown name, and for root.
UserIds resolve_user(const std::string& text);

/// Changes supplementary groups, group and user of the whole process to `user`, irreversibly. Does
/// nothing if they are `user`'s already. Throws std::system_error if the system refuses, and Error
/// (io) if root could be regained.
void drop_privileges(const UserIds& user);

} // namespace sse
