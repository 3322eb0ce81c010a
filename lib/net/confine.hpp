// What a thread gives up once a server is set up, so that an error in it can do less harm.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace sse {

struct Confinement {
    /// Directories in which files may still be created, written and removed.
    std::vector<std::string> writable = {};
    /// Files that are opened again by name. All files below their directories can be read, since a
    /// file may be replaced, and those of /proc. nullopt: all files can be read.
    std::optional<std::vector<std::string>> readable = {};
};

/// From now on, the calling thread and the threads it starts run no program, and create, write,
/// remove and read only the files that `allowed` names; what is open stays as it is (Landlock,
/// Linux 5.13). Reading is not restricted if the path to a readable file contains a symbolic link,
/// which may point elsewhere later. Sets no_new_privs, too. False where the system cannot.
bool confine_thread(const Confinement& allowed);

} // namespace sse
