// The arguments of the command line, prepared for CLI11.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// The arguments from `begin` to `end` in reverse order, as `app.parse()` expects them. `help tail`
/// becomes `tail --help`; `--flag=` becomes `--flag ""`, because CLI11 would use the next argument
/// as the value; a positional `[a]` gets a prefix, because CLI11 would read it as a list; and a
/// value `[[aa]]` is escaped where CLI11 would read it as an escaped one.
std::vector<std::string> arguments_for(const CLI::App& app, char** begin, char** end);

} // namespace cmd
