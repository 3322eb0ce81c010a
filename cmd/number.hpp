// Whole numbers as the values of flags: how many, how often.
#pragma once

#include "protocol/event.hpp"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstddef>
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

/// Adds --max-event-bytes, bound to `field`: bytes, or `512kb`, `16mb`; see sse::most_event_bytes.
inline CLI::Option* add_max_event_bytes(CLI::App& app, std::size_t& field,
                                        const std::string& help) {
    const auto bound = [&field](const std::string& text) {
        auto bytes = text;
        try {
            CLI::AsSizeValue(false)(bytes);
        } catch (const CLI::ValidationError&) {
            bytes.clear();
        }
        std::size_t value = 0;
        const auto end = bytes.data() + bytes.size();
        const auto [stop, error] = std::from_chars(bytes.data(), end, value);
        if (error != std::errc() || stop != end || value < 1 || value > sse::most_event_bytes) {
            throw CLI::ValidationError(
                "--max-event-bytes",
                fmt::format("\"{}\" is not a size from 1 to 512mb, such as 16mb", text));
        }
        field = value;
    };
    return app.add_option_function<std::string>("--max-event-bytes", bound, help)
        ->type_name("BYTES")
        ->default_str(fmt::format("{}", field));
}

} // namespace cmd
