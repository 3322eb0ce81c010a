// The one place that hides secrets in URLs and headers before they are printed, logged or recorded.
// It knows names, not values: a secret under an unsuspicious name stays.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sse {

inline constexpr std::string_view mask_text = "***";

/// True for header fields whose value is a secret: Authorization, Proxy-Authorization, Cookie,
/// Set-Cookie, and every name that would be secret in a query (see mask_url). Ignores case.
bool is_secret_header(std::string_view name);

/// `value` as it may be shown: `***` for a secret header; the URL in Location, Content-Location,
/// Referer, Origin, Refresh and Link masked as by mask_url; any other value unchanged.
std::string mask_header(std::string_view name, std::string_view value);

/// The lines of an HTTP/1 head, without their line ends and without the empty one: the target of a
/// request line masked as by mask_url, each field as by mask_header, with whatever white space is
/// around its colon. A folded line belongs to the field before it.
std::vector<std::string> mask_head(std::string_view head);

/// `url` with its user info as `***`, and the value of every query parameter whose name suggests a
/// secret: a word such as `key`, `token`, `auth`, `signature`, `password`, `session` or `code` in
/// it
/// (`api_key`, `accessKey`, `X-Amz-Signature`), or any name that contains `token`, `secret`,
/// `passw`, `credential` or `apikey`. Names are percent-decoded for this. A fragment is treated as
/// a query is, and so is a URL within a value.
std::string mask_url(std::string_view url);

} // namespace sse
