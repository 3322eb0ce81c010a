// JSON texts made comparable: equal values give equal texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// `text` without white space, the members of every object sorted by name, and numbers and escapes
/// written in one way; nullopt if it is not JSON. Numbers are compared exactly, whatever their
/// size: 1.0 equals 1, and 9007199254740993 does not equal 9007199254740992.
std::optional<std::string> canonical_json(std::string_view text);

} // namespace sse
