#include "http/url.hpp"

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/mask.hpp"
#include "base/percent.hpp"
#include "base/printable.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <stdexcept>

namespace sse {

namespace {

/// The reason why a text is no URL; the callers add the text.
struct NoUrl : std::runtime_error {
    using std::runtime_error::runtime_error;
};

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_high(char c) { return static_cast<unsigned char>(c) >= 0x80; }

/// The scheme before the first `:`, if what stands there can be one (RFC 3986, 3.1); else "".
std::string_view scheme_of(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == text.npos || colon == 0 || !is_alpha(text.front())) return {};
    const auto scheme = text.substr(0, colon);
    const auto fits = [](char c) {
        return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    };
    return std::all_of(scheme.begin(), scheme.end(), fits) ? scheme : std::string_view{};
}

bool is_scheme(std::string_view text, std::string_view name) {
    return text.size() == name.size() &&
           std::equal(text.begin(), text.end(), name.begin(),
                      [](char a, char b) { return ascii_lower(a) == b; });
}

std::uint16_t read_port(std::string_view digits, bool tls) {
    if (digits.empty()) return tls ? 443 : 80;
    if (!std::all_of(digits.begin(), digits.end(), is_digit))
        throw NoUrl("its port is not a number");
    unsigned port = 0;
    for (const char c : digits) {
        port = port * 10 + static_cast<unsigned>(c - '0');
        if (port > 65535) throw NoUrl("its port is above 65535");
    }
    return static_cast<std::uint16_t>(port);
}

std::string read_host(std::string_view host) {
    if (host.empty()) throw NoUrl("it has no host");
    if (std::any_of(host.begin(), host.end(), is_high)) {
        throw NoUrl("its host is not ASCII; give the name's xn-- form");
    }
    const auto fits = [](char c) {
        return is_alpha(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    };
    if (!std::all_of(host.begin(), host.end(), fits))
        throw NoUrl("its host contains an invalid character");
    std::string out(host);
    std::transform(out.begin(), out.end(), out.begin(), ascii_lower);
    return out;
}

/// `[v6]`, with a zone as `%eth0` or `%25eth0` (RFC 6874).
std::string read_address(std::string_view address) {
    const auto percent = address.find('%');
    std::string plain(address.substr(0, percent));
    in6_addr parsed{};
    if (::inet_pton(AF_INET6, plain.c_str(), &parsed) != 1)
        throw NoUrl("its address in [] is not an IPv6 address");
    if (percent == address.npos) return plain;
    auto zone = address.substr(percent + 1);
    if (zone.starts_with("25") && zone.size() > 2) zone.remove_prefix(2);
    return plain + "%" + read_host(zone);
}

void read_authority(std::string_view authority, Url& url) {
    if (const auto at = authority.rfind('@'); at != authority.npos) {
        const auto info = authority.substr(0, at);
        const auto colon = info.find(':');
        url.has_user = true;
        url.user = percent_decoded(info.substr(0, colon));
        if (colon != info.npos) url.password = percent_decoded(info.substr(colon + 1));
        authority.remove_prefix(at + 1);
    }
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == authority.npos) throw NoUrl("it has a [ without a ]");
        url.host = read_address(authority.substr(1, end - 1));
        authority.remove_prefix(end + 1);
        if (!authority.empty() && authority.front() != ':')
            throw NoUrl("unexpected text between ] and the port");
        url.port = read_port(authority.empty() ? authority : authority.substr(1), url.tls);
        return;
    }
    const auto colon = authority.find(':');
    url.host = read_host(authority.substr(0, colon));
    url.port = read_port(colon == authority.npos ? "" : authority.substr(colon + 1), url.tls);
}

/// RFC 3986, 5.2.4: `.` and `..` segments are taken out of `path`, which starts with `/`.
std::string without_dots(std::string_view path) {
    std::string out;
    while (!path.empty()) {
        const auto next = std::min(path.find('/', 1), path.size());
        const auto segment = path.substr(0, next);
        path.remove_prefix(next);
        if (segment == "/..") out.erase(std::min(out.rfind('/'), out.size()));
        if (segment != "/." && segment != "/..") out.append(segment);
        else if (path.empty()) out.push_back('/');
    }
    return out;
}

/// Path and query, with or without a leading `/`, as a request line can carry them.
std::string read_target(std::string_view text) {
    text = text.substr(0, text.find('#'));
    const auto question = std::min(text.find('?'), text.size());
    auto path = std::string(text.substr(0, question));
    if (!path.starts_with('/')) path.insert(0, 1, '/');
    std::string out;
    for (const char c : without_dots(path) + std::string(text.substr(question))) {
        if (c == ' ' || is_high(c)) out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        else out.push_back(c);
    }
    return out;
}

/// All after the scheme's `//`.
void read_hierarchy(std::string_view text, Url& url) {
    const auto end = std::min(text.find_first_of("/?#"), text.size());
    read_authority(text.substr(0, end), url);
    url.target = read_target(text.substr(end));
}

/// True for https, false for http.
bool read_scheme(std::string_view scheme) {
    if (is_scheme(scheme, "https")) return true;
    if (is_scheme(scheme, "http")) return false;
    throw NoUrl(fmt::format("its scheme is {}, and only http and https can be followed",
                            printable(scheme, 32)));
}

} // namespace

Url Url::parse(std::string_view typed) {
    try {
        auto text = typed;
        if (text.empty()) throw NoUrl("it is empty");
        if (std::any_of(text.begin(), text.end(), is_control))
            throw NoUrl("it contains a control character");
        if (text.find(' ') != text.npos) throw NoUrl("it contains a space");
        Url url;
        if (const auto scheme = scheme_of(text);
            text.substr(scheme.size()).starts_with("://") && !scheme.empty()) {
            url.tls = read_scheme(scheme);
            text.remove_prefix(scheme.size() + 3);
        }
        const bool only_port = text.starts_with(':') && !text.starts_with("::");
        const auto lenient = only_port ? "localhost" + std::string(text) : std::string(text);
        read_hierarchy(lenient, url);
        return url;
    } catch (const NoUrl& why) {
        throw Error(Errc::invalid_argument,
                    fmt::format("\"{}\" is not a URL of a stream: {}",
                                printable(mask_url(typed), 200), why.what()));
    }
}

Url Url::resolve(std::string_view location) const {
    try {
        auto reference = location;
        if (std::any_of(reference.begin(), reference.end(), is_control))
            throw NoUrl("it contains a control character");
        Url url = *this;
        url.user.clear(), url.password.clear(), url.has_user = false;
        if (const auto scheme = scheme_of(reference); !scheme.empty()) {
            url.tls = read_scheme(scheme);
            reference.remove_prefix(scheme.size() + 1);
            if (!reference.starts_with("//")) throw NoUrl("it has no host");
        }
        if (reference.empty()) throw NoUrl("it is empty");
        if (reference.starts_with("//")) {
            read_hierarchy(reference.substr(2), url);
            url.user.clear(), url.password.clear(), url.has_user = false;
        } else if (reference.front() == '#') {
            return url;
        } else if (reference.front() == '/') {
            url.target = read_target(reference);
        } else {
            const auto path = std::string_view(target).substr(0, target.find('?'));
            const auto base = reference.front() == '?' ? path : path.substr(0, path.rfind('/') + 1);
            url.target = read_target(std::string(base).append(reference));
        }
        return url;
    } catch (const NoUrl& why) {
        throw Error(Errc::http_status,
                    fmt::format("{} redirects to \"{}\", which cannot be followed: {}", shown(),
                                printable(mask_url(location), 200), why.what()),
                    Reason::redirect);
    }
}

std::string Url::authority() const {
    return port == (tls ? 443 : 80) ? endpoint().substr(0, endpoint().rfind(':')) : endpoint();
}

std::string Url::endpoint() const {
    if (host.find(':') == host.npos) return fmt::format("{}:{}", host, port);
    return fmt::format("[{}]:{}", host.substr(0, host.find('%')),
                       port); // a zone means nothing to others
}

std::string Url::text() const {
    return fmt::format("{}://{}{}", tls ? "https" : "http", authority(), target);
}

std::string Url::shown() const { return mask_url(text()); }

bool same_origin(const Url& a, const Url& b) {
    return a.tls == b.tls && a.host == b.host && a.port == b.port;
}

} // namespace sse
