#include "base/mask.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>

namespace sse {

namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = ascii_lower(c);
    return out;
}

template <std::size_t n>
bool holds_one_of(std::string_view text, const std::array<std::string_view, n>& parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return text.find(part) != text.npos; });
}

template <std::size_t n>
bool is_one_of(std::string_view text, const std::array<std::string_view, n>& names) {
    return std::find(names.begin(), names.end(), text) != names.end();
}

constexpr std::array<std::string_view, 10> key_words = {
    "key", "token", "auth", "sig", "signature", "secret", "password", "pwd", "credential", "code"};

bool is_secret_parameter(std::string_view name) {
    const auto small = lower(name);
    constexpr std::array<std::string_view, 4> parts = {"token", "secret", "password", "apikey"};
    if (holds_one_of(small, parts)) return true;
    for (std::string_view rest = small; !rest.empty();) {
        const auto end = rest.find_first_of("_-.[]%");
        if (is_one_of(rest.substr(0, end), key_words)) return true;
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
        if (equals != pair.npos && is_secret_parameter(pair.substr(0, equals))) {
            out.append(pair.substr(0, equals + 1)).append(mask_text);
        } else {
            out.append(pair);
        }
        if (end == query.npos) return;
        out.push_back(query[end]);
        query.remove_prefix(end + 1);
    }
}

} // namespace

bool is_secret_header(std::string_view name) {
    constexpr std::array<std::string_view, 4> names = {"authorization", "proxy-authorization",
                                                       "cookie", "set-cookie"};
    return is_one_of(lower(name), names) || is_secret_parameter(name);
}

std::string mask_header(std::string_view name, std::string_view value) {
    if (is_secret_header(name)) return std::string(mask_text);
    constexpr std::array<std::string_view, 5> urls = {"location", "content-location", "referer",
                                                      "origin", "link"};
    return is_one_of(lower(name), urls) ? mask_url(value) : std::string(value);
}

std::string mask_url(std::string_view url) {
    std::string out;
    const auto scheme = url.find("://");
    if (scheme != url.npos && scheme < url.find_first_of("/?#")) {
        out.append(url.substr(0, scheme + 3));
        url.remove_prefix(scheme + 3);
        const auto authority = url.substr(0, url.find_first_of("/?#"));
        if (const auto at = authority.rfind('@'); at != authority.npos) {
            out.append(mask_text);
            url.remove_prefix(at);
        }
    }
    const auto query = url.find_first_of("?#");
    if (query == url.npos) return out.append(url);
    out.append(url.substr(0, query + 1));
    append_masked_query(url.substr(query + 1), out);
    return out;
}

} // namespace sse
