// The layout of --help: examples first, options by group, no line over 80 columns.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cmd {

/// Sets the layout of `app` and of all commands added to it later. `examples` are the lines at the
/// top of the help of `app`.
void set_help(CLI::App& app, const std::string& examples);

/// `sse 0.1.0`, then the libraries with their versions, then the features that are built in.
std::string version_text();

} // namespace cmd
