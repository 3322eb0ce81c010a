// Usage errors: the messages of CLI11 are replaced by ones with a hint.
#pragma once

#include "cmd/cli/command.hpp"

#include <string>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace cmd {

/// What all options of `app` have in common. Each occurrence of an option takes one value, which is
/// one text: `[a,b]` is not split, and the argument behind it is not taken, too. An empty value is
/// refused, unless with_empty_value() allows it; a flag refuses any value. Call it after all
/// options are added.
void finish_options(CLI::App& app);

/// The failure for `error`, which `app.parse()` threw. The message names the option; the hint is
/// the intended name or an example.
Failure usage_error(CLI::App& app, const CLI::ParseError& error);

/// The failure for a command line without a command.
Failure no_command();

} // namespace cmd
