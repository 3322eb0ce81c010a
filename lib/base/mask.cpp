#include "base/mask.hpp"

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"

#include <algorithm>
#include <array>

namespace sse {

namespace {

/// In lower case, with an underscore between the words of `camelCase`.
std::string separated(std::string_view name) {
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const bool starts_word =
            i > 0 && name[i] >= 'A' && name[i] <= 'Z' && name[i - 1] >= 'a' && name[i - 1] <= 'z';
        if (starts_word) out.push_back('_');
        out.push_back(ascii_lower(name[i]));
    }
    return out;
}

template <std::size_t n>
bool is_one_of(std::string_view text, const std::array<std::string_view, n>& names) {
    return std::find(names.begin(), names.end(), text) != names.end();
}

constexpr std::array<std::string_view, 5> secret_parts = {"token", "secret", "passw", "credential",
                                                          "apikey"};
constexpr std::array<std::string_view, 24> secret_words = {
    "key",       "auth", "oauth", "authorization", "authkey", "sig",
    "signature", "pwd",  "pass",  "passcode",      "code",    "session",
    "sessionid", "sid",  "jwt",   "bearer",        "ticket",  "assertion",
    "otp",       "csrf", "xsrf",  "cookie",        "hmac",    "accesskey"};

bool is_secret_name(std::string_view name) {
    const auto text = separated(percent_decoded(name));
    std::string joined;
    std::copy_if(text.begin(), text.end(), std::back_inserter(joined),
                 [](char c) { return c != '_' && c != '-'; });
    if (std::any_of(secret_parts.begin(), secret_parts.end(),
                    [&](std::string_view part) { return joined.find(part) != joined.npos; }))
        return true;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = rest.find_first_of("_-.[]%: +");
        if (is_one_of(rest.substr(0, end), secret_words)) return true;
        if (end == rest.npos) break;
        rest.remove_prefix(end + 1);
    }
    return false;
}

void append_masked_query(std::string_view query, std::string& out) {
    for (;;) {
        const auto end = query.find_first_of("&;#");
        const auto pair = query.substr(0, end);
        const auto equals = pair.find('=');
        if (equals != pair.npos && is_secret_name(pair.substr(0, equals))) {
            out.append(pair.substr(0, equals + 1)).append(mask_text);
        } else if (equals != pair.npos && pair.find("://", equals) != pair.npos) {
            out.append(pair.substr(0, equals + 1)).append(mask_url(pair.substr(equals + 1)));
        } else {
            out.append(pair);
        }
        if (end == query.npos) return;
        out.push_back(query[end]);
        query.remove_prefix(end + 1);
    }
}

/// A request line with its target masked; a status line as it is.
std::string mask_start_line(std::string_view line) {
    const auto first = line.find(' '), last = line.rfind(' ');
    if (line.starts_with("HTTP/") || first == line.npos || first == last) return std::string(line);
    return std::string(line.substr(0, first + 1))
        .append(mask_url(line.substr(first + 1, last - first - 1)))
        .append(line.substr(last));
}

} // namespace

bool is_secret_header(std::string_view name) {
    constexpr std::array<std::string_view, 4> names = {"authorization", "proxy-authorization",
                                                       "cookie", "set-cookie"};
    const auto text = separated(name);
    if (text == "mcp-session-id")
        return false; // a user of MCP reads it from -v for the next request
    return is_one_of(text, names) || is_secret_name(name);
}

std::string mask_header(std::string_view name, std::string_view value) {
    if (is_secret_header(name)) return std::string(mask_text);
    constexpr std::array<std::string_view, 6> urls = {"location", "content-location", "referer",
                                                      "origin",   "refresh",          "link"};
    std::string small(name);
    std::transform(small.begin(), small.end(), small.begin(), ascii_lower);
    return is_one_of(small, urls) ? mask_url(value) : std::string(value);
}

std::vector<std::string> mask_head(std::string_view head) {
    std::vector<std::string> lines;
    bool secret = false; // the field that a folded line would belong to
    while (!head.empty()) {
        const auto line = take_line(head);
        if (line.empty()) continue;
        const auto colon = line.find(':');
        if (lines.empty()) {
            lines.push_back(mask_start_line(line));
        } else if (line.front() == ' ' || line.front() == '\t') {
            lines.emplace_back(secret ? mask_text : line);
        } else if (colon == line.npos) {
            lines.emplace_back(line);
        } else {
            const auto name = trimmed(line.substr(0, colon));
            secret = is_secret_header(name);
            auto shown = std::string(name).append(": ");
            lines.push_back(shown.append(mask_header(name, trimmed(line.substr(colon + 1)))));
        }
    }
    return lines;
}

std::string mask_url(std::string_view url) {
    std::string out;
    const auto scheme = url.find("://");
    if (scheme != url.npos && scheme < url.find_first_of("/?#")) {
        out.append(url.substr(0, scheme + 3));
        url.remove_prefix(scheme + 3);
    }
    const auto authority = url.substr(0, url.find_first_of("/?#"));
    if (const auto at = authority.rfind('@'); at != authority.npos) {
        out.append(mask_text);
        url.remove_prefix(at);
    }
    const auto query = url.find_first_of("?#");
    if (query == url.npos) return out.append(url);
    out.append(url.substr(0, query + 1));
    append_masked_query(url.substr(query + 1), out);
    return out;
}

} // namespace sse
