// Parses Content-Type (RFC 9110, 8.3.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sse {

/// The media type without its parameters, lowercase.
std::string essence(std::string_view content_type);

/// The first parameter `charset`, without quotes; nullopt if there is none (RFC 9110, 8.3.2).
std::optional<std::string> charset(std::string_view content_type);

} // namespace sse
