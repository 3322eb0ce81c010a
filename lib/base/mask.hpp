// Replaces secrets in URLs and header fields by `***`. Judges names, not values: a secret under an
// ordinary name stays.
#pragma once

#include <string>
#include <string_view>

namespace sse {

inline constexpr std::string_view mask_text = "***";

/// True for header fields whose value is a secret: Authorization, Proxy-Authorization, Cookie,
/// Set-Cookie, and every name that mask_url() takes for that of a key.
/// Compared without case.
bool is_secret_header(std::string_view name);

/// `value` as it may be printed or recorded: `***` for a secret header; the URL in Location,
/// Content-Location, Referer, Origin and Link masked as `mask_url` does; all else as it is.
std::string mask_header(std::string_view name, std::string_view value);

/// `url` with its user info as `***`, and the value of every query parameter whose name is that of
/// a key: `key`, `token`, `auth`, `sig`, `signature`, `secret`, `password`, `pwd`, `credential`,
/// `code` as a word of it (`api_key`, `access-token`, `X-Amz-Signature`), or any name that holds
/// `token`, `secret`, `password` or `apikey`. A fragment is masked as a query is.
std::string mask_url(std::string_view url);

} // namespace sse
