// Usage errors: the messages of CLI11 are replaced by ones with a hint.
#pragma once

#include "cmd/cli/command.hpp"

#include <string>

namespace CLI {
class App;
class ParseError;
} // namespace CLI

namespace cmd {

/// Makes the options of `app` refuse an empty value, unless with_empty_value() allows it, and makes
/// flags refuse any value. Call it after all options are added.
void reject_empty_values(CLI::App& app);

/// The failure for `error`, which `app.parse()` threw. The message names the option; the hint is
/// the intended name or an example.
Failure usage_error(CLI::App& app, const CLI::ParseError& error);

/// The failure for a command line without a command.
Failure no_command();

} // namespace cmd
