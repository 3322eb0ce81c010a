// What is wrong with a command line, said in our words: CLI11's never reach anybody.
#pragma once

#include "cmd/cli/command.hpp"

#include <string>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace cmd {

/// Refuses an empty value for the options of `app` that mean nothing with one, and a value for
/// those that take none. Once all options are added.
void reject_empty_values(CLI::App& app);

/// What `app` could not parse, with the flag by name, and the way out: what was meant, or a value
/// that will do.
Failure misuse(CLI::App& app, const CLI::ParseError& e);

/// For a command line that names no command.
Failure no_command();

} // namespace cmd
