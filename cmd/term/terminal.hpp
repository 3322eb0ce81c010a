// What a terminal can show: its width, and whether text on it is coloured.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cmd {

/// The columns of the terminal that `fd` is; 80 if it is none, or has no width.
std::size_t terminal_columns(int fd);

enum class Colour : std::uint8_t { automatic, always, never };

/// True if standard output is to be coloured. `automatic`: if it is a terminal, TERM is not `dumb`,
/// and NO_COLOR is unset or empty.
bool wants_colour(Colour colour);

} // namespace cmd
