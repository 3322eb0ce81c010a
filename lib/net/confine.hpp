// What the process gives up once a server is set up, so that an error in it can do less harm.
#pragma once

#include <string>
#include <vector>

namespace sse {

/// From now on, the calling thread and the threads it starts run no program and create, write or
/// remove no file, but in the directories `except`; what is open stays as it is, and files can be
/// read (Landlock, Linux 5.13). Sets no_new_privs, too. False where the system cannot.
bool forbid_programs_and_changes(const std::vector<std::string>& except);

} // namespace sse
