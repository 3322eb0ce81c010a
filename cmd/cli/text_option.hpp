// Options whose value is a text.
#pragma once

#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cmd {

/// Whether an option accepts an empty value. One that has no meaning is most likely a shell
/// variable that is not set: reject_empty_values() refuses it.
enum class Empty { refused, taken };

/// Adds the option `names` to `app`, stored in `field`; `type` is the name of the value in --help.
template <class Field>
CLI::Option* add_text(CLI::App& app, const char* names, Field& field, const char* type,
                      const std::string& help, Empty empty = Empty::refused) {
    auto* const option = app.add_option(names, field, help)->type_name(type);
    return empty == Empty::taken ? with_empty_value(option) : option;
}

/// The same for a repeatable option; each occurrence has one value.
inline CLI::Option* add_texts(CLI::App& app, const char* names, std::vector<std::string>& field,
                              const char* type, const std::string& help,
                              Empty empty = Empty::refused) {
    return add_text(app, names, field, type, help, empty)->allow_extra_args(false);
}

} // namespace cmd
