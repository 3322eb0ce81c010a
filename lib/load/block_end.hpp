// Finds where the blocks of an event stream end (HTML 9.2.6), so that only whole blocks are parsed.
// Not a parser.
#pragma once

#include <cstddef>
#include <string_view>

namespace sse {

/// The position after the last blank line of `text`, which begins at the start of a line; 0 if it
/// contains none. Lines end in LF, CR LF or CR. The caller knows that there is no blank line before
/// `from`.
std::size_t end_of_blocks(std::string_view text, std::size_t from = 0);

} // namespace sse
