// Globs for short names such as event types: what `-e TYPE` accepts. Not for file names: `/` and a
// leading `.` are characters like any other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// True if `pattern` matches all of `text`, with case. `*` matches any number of characters, `?`
/// one character, `[abc]`, `[a-z]` and `[!abc]` one character of a set (or not of it), and `\`
/// makes the next character literal. A `[` without its `]` is literal. A character is one of UTF-8.
/// Takes time in proportion to the two lengths multiplied.
bool matches_glob(std::string_view pattern, std::string_view text);

/// A selection of names by globs. A glob behind `!` excludes names.
class GlobList {
public:
    GlobList() = default;
    explicit GlobList(const std::vector<std::string>& globs);

    /// True if a glob matches `name`, or there is none to include names, and none excludes it.
    bool selects(std::string_view name) const {
        return (included_.empty() && excluded_.empty()) || allows(name);
    }

private:
    bool allows(std::string_view name) const;

    std::vector<std::string> included_, excluded_;
};

} // namespace sse
