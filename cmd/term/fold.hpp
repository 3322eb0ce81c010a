// Long lines as several, for a terminal: by the width, at a space if there is one near the end.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cmd {

/// Appends `text` with every line that is wider than `width` columns cut into several; those that
/// continue one are indented two columns deeper than it. Characters are as wide as columns.hpp has
/// it, a TAB goes to the next eighth, escape sequences take no column; none of them is cut. Widths
/// under 20 are taken for 20.
void append_folded(std::string_view text, std::size_t width, std::string& out);

} // namespace cmd
