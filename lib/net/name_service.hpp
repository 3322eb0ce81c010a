// Looking up names where the system has no configuration for it: in a statically linked program, or
// in a container without files.
#pragma once

#include <string_view>

namespace sse {

/// Hosts are looked up in /etc/hosts and by DNS, users and groups in /etc/passwd and /etc/group,
/// and nowhere else, whatever nsswitch.conf(5) says: its modules are shared libraries, which a
/// statically linked program of glibc must not load. Does nothing in any other program. Call before
/// the first lookup.
void avoid_name_service_modules();

/// `localhost` or a name below it: this machine, even if no file says so (RFC 6761, 6.3).
bool is_localhost(std::string_view host);

} // namespace sse
