// Whole numbers as the values of flags: how many, how often.
#pragma once

#include <CLI/CLI.hpp>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <string>

namespace cmd {

/// Adds the options `names` to `app`: digits only, from `least` to what Number holds, stored in
/// `field`, a Number or an optional one. Anything else ends the parse with an error that quotes it.
template <class Number, class Field>
CLI::Option* add_number(CLI::App& app, const std::string& names, Field& field, Number least,
                        const std::string& help) {
    const auto store = [&field, least, names](const std::string& text) {
        Number value{};
        const auto end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data(), end, value);
        if (error != std::errc() || stop != end || value < least) {
            throw CLI::ValidationError(names.substr(names.rfind(',') + 1),
                                       fmt::format("\"{}\" is not a whole number from {} to {}",
                                                   text, least,
                                                   std::numeric_limits<Number>::max()));
        }
        field = value;
    };
    return app.add_option_function<std::string>(names, store, help)->type_name("N");
}

} // namespace cmd
