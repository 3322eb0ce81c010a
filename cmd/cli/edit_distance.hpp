// Finds the intended name for a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cmd {

/// The number of changed, removed, inserted or swapped neighbouring letters between `a` and `b`
/// (Damerau-Levenshtein distance, optimal string alignment). Time and memory are proportional to
/// the product of the lengths.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name with the smallest distance to `typed`; if none is near enough, the shortest name that
/// begins with `typed`; else "". Near enough means at most a third of the letters, and at most
/// three.
std::string nearest(std::string_view typed, const std::vector<std::string>& names);

} // namespace cmd
