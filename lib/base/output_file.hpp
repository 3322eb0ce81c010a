// Opens and replaces files that a user names on the command line, in directories that other users
// may write to. A link or a file that somebody else planted there is refused, not followed.
#pragma once

#include <string>
#include <string_view>

namespace sse {

enum class Existing { truncated, appended };

/// Opens `path` for writing and creates it with `mode`, less the umask, if it does
/// not exist. Refused are a symbolic link that
/// belongs to another user than this one or root, and another user's regular file in a directory
/// with the sticky bit, such as /tmp. The caller owns the descriptor. Throws std::system_error.
int open_output_file(const std::string& path, Existing existing = Existing::truncated,
                     unsigned mode = 0666);

/// The file that is replaced when `path` is written: its target if it is a symbolic link that may
/// be followed (see open_output_file), else `path`. Throws std::system_error if it may not.
std::string replaced_file(const std::string& path);

/// Replaces the contents of `path` at once: writes a new file beside replaced_file(`path`), with a
/// random name, and renames it. A reader sees the old contents or the new ones, also after a crash.
/// It keeps the mode of the file that it replaces; without one, it has `mode` less the umask. On
/// failure the new file is removed, `path` is unchanged, and std::system_error is thrown.
void replace_file(const std::string& path, std::string_view contents, unsigned mode = 0666);

} // namespace sse
