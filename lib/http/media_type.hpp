// What a Content-Type says (RFC 9110, 8.3.1). Knows no body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The media type without its parameters, lowercase.
std::string essence(std::string_view content_type);

/// The first parameter `charset`, out of its quotes if it has some; nullopt: there is none (8.3.2).
std::optional<std::string> charset(std::string_view content_type);

} // namespace sse
