// JSON texts made comparable: the same value gives the same text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// `text` without white space, the members of every object in the order of their names, numbers and
/// escapes in one way; nullopt if it is not JSON.
std::optional<std::string> canonical_json(std::string_view text);

} // namespace sse
