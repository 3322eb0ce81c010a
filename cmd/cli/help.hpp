// How --help looks: examples first, options by group, no line over 80 columns.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace cmd {

/// Gives `app` and all commands added to it later that look, and the `examples`, lines that lead
/// its own help.
void set_help(CLI::App& app, const std::string& examples);

/// `sse 0.1.0`, then a line of the libraries with their versions, and one of what is built in.
std::string version_text();

} // namespace cmd
