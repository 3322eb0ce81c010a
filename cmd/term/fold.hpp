// Folds long lines for a terminal, preferably at a space near the end of the line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cmd {

/// Appends `text` to `out`, with every line wider than `width` columns folded; continuation lines
/// are indented by two more columns. The width of a character is that of columns.hpp, a TAB extends
/// to the next multiple of eight, an escape sequence has no width; none of these is split. A
/// `width` below 20 counts as 20.
void append_folded(std::string_view text, std::size_t width, std::string& out);

} // namespace cmd
