// Durations as people type them: `5s`, `250ms`, `1.5m`, `1m30s`; a bare number is seconds.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace cmd {

/// Reads a decimal number and a unit: ns, us, ms, s, m, h or d; none means seconds. Several may
/// follow each other, the units getting smaller. Exact to the nanosecond, at most 36,500 days.
/// Throws sse::Error (invalid_argument) that quotes `text` and gives examples.
std::chrono::nanoseconds parse_duration(std::string_view text);

/// The shortest text that parse_duration() reads back as `value`: `250ms`, `1500ms`, `2m`.
std::string format_duration(std::chrono::nanoseconds value);

/// Three significant digits in a fitting unit, for people: `12.3ms`, `1.20s`, `5m03s`.
std::string rough_duration(std::chrono::nanoseconds value);

/// Adds the option `names` to `app`; `store` receives the value, `shown` is the default in --help.
/// A value that is not a duration ends the parse with a CLI::ValidationError that names the option.
CLI::Option* add_duration(CLI::App& app, const std::string& names, const std::string& help,
                          const std::string& shown,
                          std::function<void(std::chrono::nanoseconds)> store);

/// The same, bound to `field`, which must outlive the parse; its current value is the default.
template <class Duration>
CLI::Option* add_duration(CLI::App& app, const std::string& names, Duration& field,
                          const std::string& help) {
    return add_duration(app, names, help, format_duration(field),
                        [&field](auto value) { field = std::chrono::ceil<Duration>(value); });
}

/// The same for a field without a default.
template <class Duration>
CLI::Option* add_duration(CLI::App& app, const std::string& names, std::optional<Duration>& field,
                          const std::string& help) {
    return add_duration(app, names, help, "",
                        [&field](auto value) { field = std::chrono::ceil<Duration>(value); });
}

/// The same for an optional limit: 0 means no limit, as in curl.
template <class Duration>
CLI::Option* add_limit(CLI::App& app, const std::string& names, std::optional<Duration>& field,
                       const std::string& help) {
    const auto unlimited = field ? "; 0: no limit" : " (default 0: no limit)";
    return add_duration(app, names, help + unlimited, field ? format_duration(*field) : "",
                        [&field](auto value) {
                            field.reset();
                            if (value.count() != 0) field = std::chrono::ceil<Duration>(value);
                        });
}

/// The same for a limit that cannot be switched off: 0 is refused.
template <class Duration>
CLI::Option* add_needed_limit(CLI::App& app, const std::string& names, Duration& field,
                              const std::string& help) {
    return add_duration(app, names, help, format_duration(field), [&field](auto value) {
        if (value.count() == 0)
            throw sse::Error(sse::Errc::invalid_argument, "it must be greater than 0");
        field = std::chrono::ceil<Duration>(value);
    });
}

} // namespace cmd
