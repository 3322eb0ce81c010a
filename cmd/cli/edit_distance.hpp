// What was meant by a mistyped name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmd {

/// How many letters must be changed, left out, put in, or swapped with the next one to make `b` of
/// `a` (Damerau-Levenshtein, no place edited twice). Time and memory grow with the product of their
/// lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `names` that `typed` is nearest to, or, if none is near, the shortest that begins
/// with it; "" for neither. A third of the letters may differ, and no more than three.
std::string nearest(std::string_view typed, const std::vector<std::string>& names);

} // namespace cmd
