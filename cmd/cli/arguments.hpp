// The words of the command line, so that CLI11 takes each for what it is.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// The words from `begin` to `end`, the last one first, as `app` parses them. `help tail` asks for
/// what `tail --help` says. Of `--flag=` CLI11 would take the next word as the value, and it would
/// open the file `a` for one that is called `[a]`.
std::vector<std::string> words_of(const CLI::App& app, char** begin, char** end);

} // namespace cmd
