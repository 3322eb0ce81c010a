// Options whose value is a text.
#pragma once

#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace cmd {

/// Whether an option accepts an empty value. One that has no meaning is most likely a shell
/// variable that is not set: finish_options() refuses it.
enum class Empty { refused, taken };

/// Adds the option `names` to `app`, stored in `field`; `type` is the name of the value in --help.
template <class Field>
CLI::Option* add_text(CLI::App& app, const char* names, Field& field, const char* type,
                      const std::string& help, Empty empty = Empty::refused) {
    // Not bound to an optional: CLI11 2.7 resets one where the value is empty.
    const auto add = [&] {
        if constexpr (std::is_same_v<Field, std::optional<std::string>>) {
            return app.add_option_function<std::string>(
                names, [&field](const std::string& text) { field = text; }, help);
        } else {
            return app.add_option(names, field, help);
        }
    };
    auto* const option = add()->type_name(type);
    return empty == Empty::taken ? with_empty_value(option) : option;
}

/// The same for a repeatable option; see finish_options().
inline CLI::Option* add_texts(CLI::App& app, const char* names, std::vector<std::string>& field,
                              const char* type, const std::string& help,
                              Empty empty = Empty::refused) {
    return add_text(app, names, field, type, help, empty);
}

} // namespace cmd
