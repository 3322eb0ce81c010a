// Numbers and sizes as the values of flags: how many, how often, how large.
#pragma once

#include "base/printable.hpp"
#include "cmd/cli/option_traits.hpp"
#include "protocol/event.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fmt/format.h>
#include <limits>
#include <string>
#include <type_traits>

namespace cmd {

/// The value of `flag` in `text`: a number from `least` to `most`, whole if Number is. Throws
/// CLI::ValidationError that quotes anything else.
template <class Number>
Number read_number(const std::string& flag, const std::string& text, Number least,
                   Number most = std::numeric_limits<Number>::max()) {
    Number value{};
    const auto end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || !(value >= least && value <= most)) {
        const auto range = most == std::numeric_limits<Number>::max()
                               ? fmt::format("of {} or more", least)
                               : fmt::format("from {} to {}", least, most);
        throw CLI::ValidationError(
            flag, fmt::format("\"{}\" is not a {} {}", sse::printable(text, 60),
                              std::is_integral_v<Number> ? "whole number" : "number", range));
    }
    return value;
}

/// Adds the options `names` to `app`, their value read by read_number() into `field`, a Number or
/// an optional one. What it holds now is the default in --help, unless it is 0, which is none.
template <class Number, class Field>
CLI::Option* add_number(CLI::App& app, const std::string& names, Field& field, Number least,
                        const std::string& help, Number most = std::numeric_limits<Number>::max()) {
    const auto store = [&field, least, most, names](const std::string& text) {
        field = read_number(names.substr(names.rfind(',') + 1), text, least, most);
    };
    auto* const option = app.add_option_function<std::string>(names, store, help)->type_name("N");
    if constexpr (std::is_same_v<Field, Number>) {
        if (field != Number{}) option->default_str(fmt::format("{}", field));
    }
    return with_example(option, fmt::format("{}", std::clamp(Number{10}, least, most)));
}

/// `16mb` for 16 MiB: what add_size() reads.
std::string format_size(std::size_t bytes);

/// Adds the option `name` to `app`: bytes, or `512kb`, `16mb`, from `least` to `most`, bound to
/// `field`, whose value now is the default.
CLI::Option* add_size(CLI::App& app, const std::string& name, std::size_t& field, std::size_t least,
                      std::size_t most, const std::string& help);

/// Adds --max-event-bytes, bound to `field`; see sse::most_event_bytes.
inline CLI::Option* add_max_event_bytes(CLI::App& app, std::size_t& field,
                                        const std::string& help) {
    return add_size(app, "--max-event-bytes", field, 1, sse::most_event_bytes, help);
}

} // namespace cmd
