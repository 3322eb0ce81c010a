// The cookies that servers set while a client runs (RFC 6265), in memory only. Stricter than a
// browser: without a list of public suffixes, a cookie goes back to the host that set it and to no
// other, whatever its Domain attribute allows.
#pragma once

#include "http/url.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct CookieOptions {
    bool enabled = true;
    std::size_t max_cookies = 50; ///< of all hosts together; the oldest gives way (RFC 6265, 6.1)
    std::size_t max_cookie_bytes = 4096; ///< name and value of one; a larger one is ignored
};

/// Used on one thread. The time is passed in.
class CookieJar {
public:
    using Time = std::chrono::system_clock::time_point;

    explicit CookieJar(CookieOptions options = {})
        : options_(options) {}

    /// Stores, replaces or deletes the cookie of `set_cookie`, the value of a Set-Cookie field in a
    /// response of `url` (RFC 6265, 5.2 and 5.3). Ignores what it cannot use.
    void set(const Url& url, std::string_view set_cookie, Time now);

    /// The value of a Cookie field for a request to `url` (RFC 6265, 5.4): `given`, the user's own
    /// cookies, less those that the server has replaced, then the stored ones; "" for none.
    std::string header(const Url& url, std::string_view given, Time now) const;

private:
    struct Cookie {
        std::string name, value, host, path;
        bool secure = false;
        std::optional<Time> expires; ///< nullopt: with the run
    };

    CookieOptions options_;
    std::vector<Cookie> cookies_; ///< oldest first
};

/// The date of an Expires attribute (RFC 6265, 5.1.1), which browsers read leniently; nullopt if it
/// is none.
std::optional<std::chrono::sys_seconds> parse_cookie_date(std::string_view text);

} // namespace sse
