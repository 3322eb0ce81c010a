// An option whose values are names.
#pragma once

#include "base/printable.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <map>
#include <string>

namespace cmd {

/// Adds `name` to `app`, one of `choices`; the value of `field` now is the default in --help.
/// Another value ends the parse with an error that lists them. A field is a Value or an optional
/// one.
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
                fmt::format("\"{}\" is none of {}", sse::printable(text, 60), names));
        }
        field = found->second;
    };
    auto* const option =
        app.add_option_function<std::string>(name, store, help)->type_name(names)->default_str(now);
    return with_example(option, choices.begin()->first);
}

} // namespace cmd
