// What an option declares about its values beside its type: an example, and whether one may be
// empty. CLI11 has no place for either.
#pragma once

#include <string>

namespace CLI {
class Option;
}

namespace cmd {

/// Declares a value that works for `option`; usage errors show it. Returns `option`.
CLI::Option* with_example(CLI::Option* option, std::string value);

/// The example that was declared last; "" for none.
std::string example_of(CLI::Option& option);

/// Declares that an empty value of `option` has a meaning; finish_options() refuses the
/// others.
CLI::Option* with_empty_value(CLI::Option* option);
bool takes_empty_value(CLI::Option& option);

} // namespace cmd
