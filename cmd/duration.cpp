#include "cmd/duration.hpp"

#include "protocol/error.hpp"

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
                     fmt::format("\"{}\" is not a duration such as 5s, 250ms, 1.5m or 2h", text));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

} // namespace

nanoseconds parse_duration(std::string_view text) {
    std::int64_t ns = 0;
    auto next = units.begin(); // the largest that may come
    for (auto rest = text; !rest.empty() || text.empty();) {
        const auto digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
        const auto number = rest.substr(0, digits);
        rest.remove_prefix(digits);
        auto name = rest.substr(0, std::min(rest.find_first_of("0123456789."), rest.size()));
        rest.remove_prefix(name.size());
        if (name.empty() && number.size() == text.size()) name = "s";
        const auto unit =
            std::find_if(next, units.end(), [&](const Unit& u) { return u.name == name; });
        if (unit == units.end() || std::none_of(number.begin(), number.end(), is_digit))
            refuse(text);
        next = unit + 1;
        std::int64_t part = 0, place = unit->ns;
        bool fraction = false;
        for (const char c : number) {
            if (c == '.') {
                if (std::exchange(fraction, true)) refuse(text);
                continue;
            }
            if (fraction) {
                place /= 10;
                part += (c - '0') * place;
                continue;
            }
            if (part > longest_ns / 10) refuse(text);
            part = part * 10 + (c - '0') * unit->ns;
        }
        ns += std::min(part, longest_ns + 1);
        if (ns > longest_ns) refuse(text);
    }
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
    return option;
}

} // namespace cmd
