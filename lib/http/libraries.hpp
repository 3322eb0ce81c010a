// The versions of the libraries in use: for --version and bug reports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct Library {
    std::string_view name;
    std::string version; ///< of the loaded library; of its headers where it has no such function
};

/// The libraries that lib uses.
std::vector<Library> libraries();

/// The optional features that are built in, separated by commas.
std::string features();

} // namespace sse
