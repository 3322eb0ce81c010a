// Options whose values are texts.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace cmd {

/// What becomes of an empty value: where it can mean nothing, it is a variable that was not set.
enum class Empty { refused, taken };

/// Adds the options `names` to `app`, stored in `field`; `type` is what --help calls the value.
template <class Field>
CLI::Option* add_text(CLI::App& app, const char* names, Field& field, const char* type,
                      const std::string& help, Empty empty = Empty::refused) {
    auto* option = app.add_option(names, field, help)->type_name(type);
    if (empty == Empty::taken) return option;
    return option->check([](const std::string& text) {
        return text.empty() ? std::string("it is empty") : std::string();
    });
}

/// The same, to be given several times; each takes one value.
inline CLI::Option* add_texts(CLI::App& app, const char* names, std::vector<std::string>& field,
                              const char* type, const std::string& help,
                              Empty empty = Empty::refused) {
    return add_text(app, names, field, type, help, empty)->allow_extra_args(false);
}

} // namespace cmd
