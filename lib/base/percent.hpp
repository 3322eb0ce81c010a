// Percent-encoding (RFC 3986, 2.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

/// Each `%XX` decoded once; a `%` without two hexadecimal digits stays as it is.
std::string percent_decoded(std::string_view text);

/// Every byte but letters, digits and `-._~` (RFC 3986, 2.3) as `%XX`.
std::string percent_encoded(std::string_view bytes);

/// All values of `name` in a query, decoded as by query_value(), in order.
std::vector<std::string> query_values(std::string_view query, std::string_view name);
/// The first value of `name` in a query (`a=1&b=2`), percent-decoded, `+` read as a space.
std::optional<std::string> query_value(std::string_view query, std::string_view name);

} // namespace sse
