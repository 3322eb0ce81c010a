// What this was built of: for --version, and for who reports a bug.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct Library {
    std::string_view name;
    std::string version; ///< of what is loaded now; of its headers where it cannot be asked
};

/// The libraries that lib stands on.
std::vector<Library> libraries();

/// What is built in, as words between commas.
std::string features();

} // namespace sse
