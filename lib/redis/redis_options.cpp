#include "redis/redis_options.hpp"

#include "base/error.hpp"
#include "base/printable.hpp"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace sse {

namespace {

struct Scheme {
    std::string_view text;
    bool tls, sentinel;
};
constexpr std::array schemes = {Scheme{"redis://", false, false}, Scheme{"rediss://", true, false},
                                Scheme{"redis+sentinel://", false, true},
                                Scheme{"rediss+sentinel://", true, true}};

constexpr std::uint16_t redis_port = 6379, sentinel_port = 26379;

const Scheme* scheme_of(std::string_view text) {
    for (const auto& scheme : schemes) {
        if (text.starts_with(scheme.text)) return &scheme;
    }
    return nullptr;
}

template <typename Number>
std::optional<Number> number(std::string_view text) {
    Number value = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return value;
}

[[noreturn]] void refuse(const std::string& why) { throw Error(Errc::invalid_argument, why); }

/// The text before `delimiter`, which is removed with it; all of it if there is none.
std::string_view cut(std::string_view& text, char delimiter) {
    const auto at = text.find(delimiter);
    const auto part = text.substr(0, at);
    text.remove_prefix(at == text.npos ? text.size() : at + 1);
    return part;
}

RedisEndpoint endpoint(std::string_view text, std::uint16_t port) {
    RedisEndpoint out;
    out.port = port;
    std::string_view after;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == text.npos) refuse("the address of Redis has an unclosed [");
        out.host = text.substr(1, end - 1);
        after = text.substr(end + 1);
    } else {
        const auto colon = text.find(':');
        out.host = text.substr(0, colon);
        if (colon != text.npos) after = text.substr(colon);
    }
    if (out.host.empty()) refuse("the address of Redis has no host");
    if (after.empty()) return out;
    const auto given = number<std::uint16_t>(after.substr(1));
    if (after[0] != ':' || !given || *given == 0)
        refuse(fmt::format("\"{}\" is not a host with a port", printable(text, 60)));
    out.port = *given;
    return out;
}

void read_parameters(std::string_view query, RedisOptions& options) {
    while (!query.empty()) {
        auto value = cut(query, '&');
        const auto name = cut(value, '=');
        if (name != "prefix" || value.empty()) {
            refuse(fmt::format("the address of Redis has the unknown parameter \"{}\"",
                               printable(name, 40)));
        }
        options.prefix = value;
    }
}

} // namespace

std::string RedisEndpoint::text() const {
    return host.find(':') == host.npos ? fmt::format("{}:{}", host, port)
                                       : fmt::format("[{}]:{}", host, port);
}

bool is_redis_url(std::string_view text) { return scheme_of(text) != nullptr; }

void read_redis_url(const std::string& url, RedisOptions& options) {
    const auto* const scheme = scheme_of(url);
    if (!scheme) refuse("the address of Redis must begin with redis:// or rediss://");
    options.tls = scheme->tls;
    std::string_view rest = url;
    rest.remove_prefix(scheme->text.size());
    auto path = cut(rest, '?');
    read_parameters(rest, options);
    auto authority = cut(path, '/');
    if (const auto at = authority.rfind('@'); at != authority.npos) {
        options.user = authority.substr(0, at);
        authority.remove_prefix(at + 1);
        if (options.user.find(':') != std::string::npos) {
            refuse("the address of Redis holds a password, which every user of this machine could "
                   "read in the list of processes");
        }
    }
    options.endpoints.clear();
    do {
        options.endpoints.push_back(endpoint(scheme->sentinel ? cut(authority, ',') : authority,
                                             scheme->sentinel ? sentinel_port : redis_port));
    } while (scheme->sentinel && !authority.empty());
    if (scheme->sentinel) {
        options.sentinel = cut(path, '/');
        if (options.sentinel.empty())
            refuse("the address of the sentinels has no name of a server after the slash");
    }
    if (path.empty()) return;
    const auto db = number<std::uint32_t>(path);
    if (!db) refuse(fmt::format("\"{}\" is not the number of a database", printable(path, 40)));
    options.db = *db;
}

std::string describe(const RedisOptions& options) {
    std::string out;
    for (const auto& each : options.endpoints) out += (out.empty() ? "" : ",") + each.text();
    return options.sentinel.empty() ? out : fmt::format("{} ({})", options.sentinel, out);
}

} // namespace sse
