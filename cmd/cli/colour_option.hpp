// The option --color of the commands that print for people.
#pragma once

#include "cmd/cli/choice.hpp"
#include "cmd/term/terminal.hpp"

#include <CLI/CLI.hpp>
#include <map>
#include <string>

namespace cmd {

inline const std::map<std::string, Colour> colour_names = {
    {"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}};

/// Adds --color to `app`, stored in `colour`, which must outlive the parse.
inline CLI::Option* add_colour_option(CLI::App& app, Colour& colour) {
    return add_choice(app, "--color", colour, colour_names,
                      "Use colours; auto: on a terminal, unless NO_COLOR is set or TERM is dumb");
}

} // namespace cmd
