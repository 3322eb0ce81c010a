#include "cmd/cli/duration.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"
#include "cmd/cli/option_traits.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <utility>

namespace cmd {

namespace {

using std::chrono::nanoseconds;

struct Unit {
    std::string_view name;
    std::int64_t ns;
};
constexpr std::array<Unit, 7> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};
constexpr std::int64_t longest_ns = 36'500 * units[0].ns;

[[noreturn]] void refuse(std::string_view text) {
    throw sse::Error(sse::Errc::invalid_argument,
                     fmt::format("\"{}\" is not a duration such as 5s, 250ms, 1m30s or 2h",
                                 sse::printable(text, 60)));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes `number unit` from the front of `rest`, a part of `text`; the unit must be smaller than
/// `last`, which it becomes. A number without one is in seconds if it is all that there is.
std::int64_t take_piece(std::string_view text, std::string_view& rest, std::int64_t& last) {
    const auto size = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const auto number = rest.substr(0, size);
    rest.remove_prefix(size);
    auto name = rest.substr(0, rest.find_first_of("0123456789."));
    rest.remove_prefix(name.size());
    if (number == text) name = "s";
    const auto unit =
        std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == units.end() || unit->ns >= last ||
        std::none_of(number.begin(), number.end(), is_digit))
        refuse(text);

    std::int64_t ns = 0, place = last = unit->ns;
    bool fraction = false;
    for (const char c : number) {
        if (c == '.') {
            if (std::exchange(fraction, true)) refuse(text);
            continue;
        }
        if (fraction) {
            place /= 10;
            ns += (c - '0') * place;
            continue;
        }
        if (ns > longest_ns / 10) refuse(text);
        ns = ns * 10 + (c - '0') * unit->ns;
    }
    return ns;
}

} // namespace

nanoseconds parse_duration(std::string_view text) {
    std::int64_t ns = 0, unit = longest_ns;
    auto rest = text;
    do {
        ns += take_piece(text, rest, unit);
        if (ns > longest_ns) refuse(text);
    } while (!rest.empty());
    return nanoseconds(ns);
}

std::string format_duration(nanoseconds value) {
    if (value.count() == 0) return "0s";
    // 90s reads better than 1.5m, and 1500ms is as good as 1.5s: the largest unit that divides.
    const auto unit = std::find_if(units.begin(), units.end(),
                                   [&](const Unit& u) { return value.count() % u.ns == 0; });
    return fmt::format("{}{}", value.count() / unit->ns, unit->name);
}

std::string rough_duration(std::chrono::nanoseconds value) {
    using namespace std::chrono;
    const auto in = [&](double unit, const char* name) {
        const auto number = double(value.count()) / unit;
        return fmt::format("{:.{}f}{}", number, number < 9.995 ? 2 : number < 99.95 ? 1 : 0, name);
    };
    if (value < 999'500ns) return in(1e3, "us");
    if (value < 999'500us) return in(1e6, "ms");
    if (value < 1min) return in(1e9, "s");
    const auto whole = duration_cast<seconds>(value).count();
    if (whole < 3600) return fmt::format("{}m{:02}s", whole / 60, whole % 60);
    return fmt::format("{}h{:02}m", whole / 3600, whole / 60 % 60);
}

CLI::Option* add_duration(CLI::App& app, const std::string& names, const std::string& help,
                          const std::string& shown, std::function<void(nanoseconds)> store) {
    auto* option = app.add_option_function<std::string>(
        names,
        [store = std::move(store), names](const std::string& text) {
            try {
                store(parse_duration(text));
            } catch (const sse::Error& e) {
                throw CLI::ValidationError(names.substr(names.rfind(',') + 1), e.what());
            }
        },
        help);
    option->type_name("DURATION");
    if (!shown.empty()) option->default_str(shown);
    return with_example(option, shown.empty() ? "5s" : shown);
}

} // namespace cmd
