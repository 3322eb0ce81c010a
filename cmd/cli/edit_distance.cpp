#include "cmd/cli/edit_distance.hpp"

#include <algorithm>
#include <numeric>

namespace cmd {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    // Three rows of the table: the one being filled, and the two above it.
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = a[i - 1] == b[j - 1] ? 0 : 1;
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + changed});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::string nearest(std::string_view typed, const std::vector<std::string>& names) {
    constexpr std::size_t longest = 64; // no name is longer, and the table grows with both
    const auto letters = typed.size() - std::min(typed.find_first_not_of('-'), typed.size());
    if (typed.size() > longest || letters < 2) return {};
    std::string found;
    auto least = std::clamp<std::size_t>(letters / 3, 1, 3) + 1;
    for (const auto& name : names) {
        const auto distance = edit_distance(typed, name);
        if (distance >= least) continue;
        least = distance;
        found = name;
    }
    if (!found.empty()) return found;
    for (const auto& name : names) {
        if (name.starts_with(typed) && (found.empty() || name.size() < found.size())) found = name;
    }
    return found;
}

} // namespace cmd
