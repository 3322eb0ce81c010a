// A repeatable option whose values are JSON pointers.
#pragma once

#include "base/json_select.hpp"

#include <string>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace cmd {

/// Adds the option `name` to `app`; each value is added to `field`, which must outlive the parse. A
/// value that is not a JSON pointer ends the parse with a CLI::ValidationError.
CLI::Option* add_pointers(CLI::App& app, const std::string& name, sse::JsonPointers& field,
                          const std::string& help, const std::string& example);

} // namespace cmd
