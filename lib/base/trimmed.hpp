// Removes optional white space, as HTTP does around field values.
#pragma once

#include <string_view>

namespace sse {

/// `text` without the spaces and tabs around it (RFC 9110, 5.6.3: OWS).
std::string_view trimmed(std::string_view text);

} // namespace sse
