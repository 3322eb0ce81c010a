// The text of a system error.
#pragma once

#include <string>
#include <system_error>

namespace sse {

/// What strerror(3) says of `number`, an errno. Any thread.
inline std::string errno_text(int number) { return std::generic_category().message(number); }

} // namespace sse
