// Options whose value is a number or a size in bytes.
#pragma once

#include "base/posix.hpp"
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

/// Reads `text`, the value of `flag`, as a number from `least` to `most`; an integer if Number is
/// one. Throws CLI::ValidationError that names `flag` and quotes `text`.
template <class Number>
Number read_number(const std::string& flag, const std::string& text, Number least,
                   Number most = std::numeric_limits<Number>::max()) {
    Number value{};
    const auto end = text.data() + text.size();
    const auto [stop, error] = [&] {
        if constexpr (std::is_same_v<Number, double>)
            return sse::parse_double(text.data(), end, value);
        else return std::from_chars(text.data(), end, value);
    }();
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

/// Adds the option `names` to `app`; read_number() reads its value into `field`, a Number or an
/// std::optional<Number>. The current value of `field` is the default in --help, unless it is 0.
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

/// The shortest text that add_size() reads: `16mb` for 16 MiB.
std::string format_size(std::size_t bytes);

/// Adds the option `name` to `app`: a number of bytes, or a size such as `512kb` or `16mb`, from
/// `least` to `most`, bound to `field`, whose current value is the default.
CLI::Option* add_size(CLI::App& app, const std::string& name, std::size_t& field, std::size_t least,
                      std::size_t most, const std::string& help);

/// Adds --max-event-bytes, bound to `field`; see sse::most_event_bytes.
inline CLI::Option* add_max_event_bytes(CLI::App& app, std::size_t& field,
                                        const std::string& help) {
    return add_size(app, "--max-event-bytes", field, 1, sse::most_event_bytes, help);
}

} // namespace cmd
