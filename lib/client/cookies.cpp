#include "client/cookies.hpp"

#include "base/ascii.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"
#include "http/head.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace sse {

namespace {

/// RFC 6265, 5.1.4: the directory of the request's path.
std::string default_path(const Url& url) {
    const auto path = url.target.substr(0, url.target.find('?'));
    const auto slash = path.rfind('/');
    return slash == 0 || slash == path.npos ? "/" : path.substr(0, slash);
}

bool path_matches(std::string_view request, std::string_view cookie) {
    request = request.substr(0, request.find('?'));
    if (!request.starts_with(cookie)) return false;
    return request.size() == cookie.size() || cookie.ends_with('/') ||
           request[cookie.size()] == '/';
}

/// RFC 6265, 5.1.3, for a Domain attribute: `host` is `domain` or ends in `.` and it.
bool domain_matches(std::string_view host, std::string_view domain) {
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.size() > host.size()) return false;
    if (!same_name(host.substr(host.size() - domain.size()), domain)) return false;
    return domain.size() == host.size() || host[host.size() - domain.size() - 1] == '.';
}

/// Name and value around the first `=`; the name is "" where there is none.
std::pair<std::string_view, std::string_view> name_and_value(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == text.npos) return {{}, trimmed(text)};
    return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

/// Max-Age: digits, perhaps with a minus; nullopt to ignore it (RFC 6265, 5.2.2).
std::optional<std::chrono::seconds> parse_max_age(std::string_view text) {
    const bool minus = text.starts_with('-');
    if (minus) text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
    std::int64_t seconds = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        seconds = std::min<std::int64_t>(seconds * 10 + (c - '0'), 400LL * 24 * 3600);
    }
    return std::chrono::seconds(minus ? 0 : seconds);
}

/// A number of `least` to `most` digits at the start of `text`, taken off it, with no digit behind.
std::optional<int> leading_number(std::string_view& text, std::size_t least, std::size_t most) {
    int value = 0;
    std::size_t count = 0;
    for (; count < text.size() && text[count] >= '0' && text[count] <= '9'; ++count) {
        if (count == most) return std::nullopt;
        value = value * 10 + (text[count] - '0');
    }
    if (count < least) return std::nullopt;
    text.remove_prefix(count);
    return value;
}

struct DateParts {
    std::optional<int> hour, minute, second, day, month, year;

    void add(std::string_view token) {
        static constexpr std::array<std::string_view, 12> months{
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
        if (!hour && add_time(token)) return;
        auto rest = token;
        const auto number = leading_number(rest, 1, 4);
        const auto digits = token.size() - rest.size();
        if (!day && number && digits <= 2) {
            day = number;
        } else if (!month && token.size() >= 3) {
            const auto found = std::find_if(months.begin(), months.end(), [&](auto name) {
                return same_name(token.substr(0, 3), name);
            });
            if (found != months.end()) month = static_cast<int>(found - months.begin()) + 1;
            else add_year(number, digits);
        } else {
            add_year(number, digits);
        }
    }

private:
    bool add_time(std::string_view token) {
        auto rest = token;
        const auto h = leading_number(rest, 1, 2);
        if (!h || !rest.starts_with(':')) return false;
        rest.remove_prefix(1);
        const auto m = leading_number(rest, 1, 2);
        if (!m || !rest.starts_with(':')) return false;
        rest.remove_prefix(1);
        const auto s = leading_number(rest, 1, 2);
        if (!s) return false;
        hour = h, minute = m, second = s;
        return true;
    }
    void add_year(std::optional<int> number, std::size_t digits) {
        if (year || !number || (digits != 2 && digits != 4)) return;
        year = *number < 70 ? *number + 2000 : *number < 100 ? *number + 1900 : *number;
    }
};

bool is_delimiter(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0x09 || (byte >= 0x20 && byte <= 0x2F) || (byte >= 0x3B && byte <= 0x40) ||
           (byte >= 0x5B && byte <= 0x60) || (byte >= 0x7B && byte <= 0x7E);
}

} // namespace

std::optional<std::chrono::sys_seconds> parse_cookie_date(std::string_view text) {
    DateParts parts;
    while (!text.empty()) {
        const auto start = std::find_if_not(text.begin(), text.end(), is_delimiter);
        const auto end = std::find_if(start, text.end(), is_delimiter);
        if (start != end) parts.add({&*start, static_cast<std::size_t>(end - start)});
        text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
    }
    if (!parts.hour || !parts.day || !parts.month || !parts.year || *parts.year < 1601 ||
        *parts.hour > 23 || *parts.minute > 59 || *parts.second > 59)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year(*parts.year),
                                           std::chrono::month(static_cast<unsigned>(*parts.month)),
                                           std::chrono::day(static_cast<unsigned>(*parts.day))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*parts.hour) +
           std::chrono::minutes(*parts.minute) + std::chrono::seconds(*parts.second);
}

void CookieJar::set(const Url& url, std::string_view set_cookie, Time now) {
    const auto forbidden = [](char c) { return is_control(c) && c != '\t'; };
    if (!options_.enabled || std::any_of(set_cookie.begin(), set_cookie.end(), forbidden)) return;
    const auto [name, value] = name_and_value(take_part(set_cookie, ';'));
    if (name.empty() || name.size() + value.size() > options_.max_cookie_bytes) return;
    Cookie cookie{std::string(name), std::string(value), url.host, default_path(url), false, {}};
    std::optional<std::chrono::seconds> max_age;
    bool has_domain = false, has_path = false;
    while (!set_cookie.empty()) {
        const auto part = take_part(set_cookie, ';');
        const auto equals = part.find('=');
        const auto key = trimmed(part.substr(0, equals));
        const auto text =
            equals == part.npos ? std::string_view() : trimmed(part.substr(equals + 1));
        if (same_name(key, "Secure")) {
            cookie.secure = true;
        } else if (same_name(key, "Max-Age")) {
            if (const auto age = parse_max_age(text)) max_age = age;
        } else if (same_name(key, "Expires")) {
            if (const auto date = parse_cookie_date(text)) {
                // Beyond this the clock's type would overflow.
                const auto latest =
                    std::chrono::floor<std::chrono::seconds>(now) + std::chrono::hours(24 * 400);
                cookie.expires = std::min(*date, latest);
            }
        } else if (same_name(key, "Domain") && !text.empty()) {
            if (!domain_matches(url.host, text)) return; // 5.3, step 6
            has_domain = true;
        } else if (same_name(key, "Path")) {
            has_path = text.starts_with('/');
            cookie.path = has_path ? std::string(text) : default_path(url);
        }
    }
    if (cookie.secure && !url.tls) return;
    if (name.starts_with("__Secure-") && !cookie.secure) return;
    if (name.starts_with("__Host-") &&
        (!cookie.secure || has_domain || !has_path || cookie.path != "/"))
        return;
    if (max_age) cookie.expires = now + *max_age;

    const auto old = std::find_if(cookies_.begin(), cookies_.end(), [&](const Cookie& other) {
        return other.name == cookie.name && other.host == cookie.host && other.path == cookie.path;
    });
    if (cookie.expires && *cookie.expires <= now) {
        if (old != cookies_.end()) cookies_.erase(old);
        return;
    }
    if (old != cookies_.end()) *old = std::move(cookie);
    else cookies_.push_back(std::move(cookie));
    if (cookies_.size() > options_.max_cookies) cookies_.erase(cookies_.begin());
}

std::string CookieJar::header(const Url& url, std::string_view given, Time now) const {
    std::vector<const Cookie*> sent;
    for (const auto& cookie : cookies_) {
        if (cookie.host == url.host && (url.tls || !cookie.secure) &&
            path_matches(url.target, cookie.path) && (!cookie.expires || *cookie.expires > now))
            sent.push_back(&cookie);
    }
    std::stable_sort(sent.begin(), sent.end(), [](const auto* a, const auto* b) {
        return a->path.size() > b->path.size(); // 5.4: longer paths first
    });
    if (sent.empty()) return std::string(given);
    std::string out;
    const auto append = [&](std::string_view text) {
        if (!out.empty()) out += "; ";
        out += text;
    };
    while (!given.empty()) {
        const auto part = trimmed(take_part(given, ';'));
        const auto name = name_and_value(part).first;
        const bool replaced =
            std::any_of(sent.begin(), sent.end(), [&](const auto* it) { return it->name == name; });
        if (!part.empty() && !replaced) append(part);
    }
    for (const auto* cookie : sent) append(cookie->name + "=" + cookie->value);
    return out;
}

} // namespace sse
