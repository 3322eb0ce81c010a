// Where the blocks of an event stream end (HTML 9.2.6), to parse whole blocks only. Not a parser.
#pragma once

#include <cstddef>
#include <string_view>

namespace sse {

/// The position behind the last blank line of `text`, which begins at the beginning of a line; 0 if
/// it has none. Lines end in LF, CR LF or CR. What lies before `from` has no blank line.
std::size_t end_of_blocks(std::string_view text, std::size_t from = 0);

} // namespace sse
