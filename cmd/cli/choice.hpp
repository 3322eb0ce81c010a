// Options whose value is one of several names.
#pragma once

#include "base/printable.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <map>
#include <string>

namespace cmd {

/// Adds the option `name` to `app`; it stores one of `choices` in `field`, a Value or an
/// std::optional<Value>. The current value of `field` is the default in --help. A value that is not
/// a choice ends the parse with a CLI::ValidationError that lists the choices. `field` and
/// `choices` must outlive the parse.
template <class Field, class Value>
CLI::Option* add_choice(CLI::App& app, const std::string& name, Field& field,
                        const std::map<std::string, Value>& choices, const std::string& help) {
    std::string names, now;
    for (const auto& [text, value] : choices) {
        names += (names.empty() ? "" : "|") + text;
        if (value == field) now = text;
    }
    const auto store = [&field, &choices, name, names](const std::string& text) {
        const auto found = choices.find(text);
        if (found == choices.end()) {
            throw CLI::ValidationError(
                name.substr(name.rfind(',') + 1),
                fmt::format("\"{}\" is not one of {}", sse::printable(text, 60), names));
        }
        field = found->second;
    };
    auto* const option =
        app.add_option_function<std::string>(name, store, help)->type_name(names)->default_str(now);
    return with_example(option, choices.begin()->first);
}

} // namespace cmd
