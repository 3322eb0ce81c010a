#include "server/guard.hpp"

#include "base/error.hpp"
#include "base/percent.hpp"
#include "base/printable.hpp"
#include "http/authority.hpp"
#include "http/gap_field.hpp"
#include "net/ip_address.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace sse {

namespace {

bool reads(const Request& request) {
    return request.method == "GET" || request.method == "HEAD" || request.method == "OPTIONS";
}

// ---- Host ----

/// The authority of an absolute target, which overrides the Host field (RFC 9112, 3.2.2), else the
/// Host field.
std::string_view authority_of(const Request& request) {
    const std::string_view target = request.target;
    const auto mark = target.find("://");
    if (mark == target.npos || target.starts_with('/'))
        return request.head.find("Host").value_or("");
    const auto rest = target.substr(mark + 3);
    return rest.substr(0, rest.find_first_of("/?#"));
}

bool is_allowed(const Authority& host, const std::vector<std::string>& allowed) {
    return std::any_of(allowed.begin(), allowed.end(), [&](std::string_view text) {
        const bool domain = text.starts_with('.');
        const auto entry = Authority::parse(domain ? text.substr(1) : text);
        if (!entry || (entry->port >= 0 && entry->port != host.port)) return false;
        return entry->host == host.host || (domain && host.host.ends_with("." + entry->host));
    });
}

/// What a request must show because of its method; empty: nothing.
const Tokens& tokens_for(const Request& request, const GuardOptions& options) {
    const bool own = !reads(request) && !options.publish_tokens.empty();
    return own ? options.publish_tokens : options.read_tokens;
}

/// True unless the Host may be a name that was rebound to this machine, to read what others cannot
/// reach. A request without a name (HTTP/1.0) comes from no browser.
bool is_safe_host(const Request& request, const GuardOptions& options) {
    const bool on_network = request.private_network || request.all_interfaces;
    const bool open = tokens_for(request, options).empty() && !options.client_certificates;
    if (!request.loopback && !(on_network && open)) return true;
    const auto name = authority_of(request);
    if (name.empty()) return true;
    const auto host = Authority::parse(name);
    if (!host) return false;
    if (host->is_loopback() || is_allowed(*host, options.allowed_hosts)) return true;
    const auto& own = options.own_names;
    if (request.all_interfaces && std::find(own.begin(), own.end(), host->host) != own.end())
        return true;
    if (request.loopback) return false;
    return IpAddress::parse(host->host) ||
           std::find(own.begin(), own.end(), host->host) != own.end();
}

// ---- Origin ----

bool allows_any(const GuardOptions& options) {
    return options.cors.size() == 1 && options.cors.front() == "*";
}

/// --cors names it; `*` names none.
bool is_named(std::string_view origin, const GuardOptions& options) {
    const auto parsed = Origin::parse(origin);
    return parsed && std::any_of(options.cors.begin(), options.cors.end(),
                                 [&](const auto& text) { return Origin::parse(text) == parsed; });
}

/// The page came from here. `https` counts where this server speaks plain HTTP: a proxy in front
/// has taken the TLS off, and one port of one host is one server.
bool is_own_origin(std::string_view origin, const Request& request) {
    const auto parsed = Origin::parse(origin);
    if (!parsed) return false;
    const bool https = parsed->scheme == "https";
    if (!https && (request.secure || parsed->scheme != "http")) return false;
    auto host = Authority::parse(authority_of(request));
    if (!host) return false;
    if (host->port < 0) host->port = default_port(parsed->scheme);
    return *parsed == Origin{parsed->scheme, *host};
}

/// A page of another site makes the request, other than by a link that is followed (Fetch
/// Metadata). Of requests without an Origin only this tells: those of <img> and <script>.
bool is_cross_site(const Request& request) {
    if (request.head.find("Sec-Fetch-Site").value_or("") != "cross-site") return false;
    return !reads(request) || request.head.find("Sec-Fetch-Mode").value_or("") != "navigate";
}

bool is_allowed_page(const Request& request, const GuardOptions& options) {
    const auto origin = request.head.find("Origin");
    if (!origin && !is_cross_site(request)) return true;
    const bool one = request.head.count("Origin") == 1;
    if (one && (is_named(*origin, options) || is_own_origin(*origin, request))) return true;
    if (!reads(request)) return false;
    // Elsewhere a page of another origin may send its request: the browser does not show it the
    // response, which has no header that allows it.
    return allows_any(options) || !request.loopback;
}

bool is_preflight(const Request& request) {
    return request.method == "OPTIONS" &&
           request.head.find("Access-Control-Request-Method").has_value();
}

/// The Access-Control-Allow-Origin for `request`; "" for none.
std::string allowed_origin(const Request& request, const GuardOptions& options) {
    const auto origin = request.head.find("Origin");
    if (!origin || options.cors.empty()) return "";
    if (allows_any(options)) return "*";
    return is_named(*origin, options) ? std::string(*origin) : "";
}

/// 204 with what the page may do (Fetch, 3.2.2).
Response preflight(const GuardOptions& options) {
    std::string headers = "Last-Event-ID, Authorization, Content-Type, Cache-Control";
    for (const auto& header : options.cors_headers) headers.append(", ").append(header);
    Response response;
    response.status = 204;
    response.headers = {
        {"Access-Control-Allow-Methods", allows_any(options) ? "GET, HEAD" : "GET, HEAD, POST"},
        {"Access-Control-Allow-Headers", headers},
        {"Access-Control-Max-Age", "600"}};
    return response;
}

// ---- token ----

/// The token that the request shows: `Authorization: Bearer TOKEN`, or, for a page's EventSource,
/// which cannot set headers, `?access_token=TOKEN` (RFC 6750, 2.1 and 2.3). "" for none.
std::string shown_token(const Request& request) {
    constexpr std::string_view scheme = "Bearer ";
    if (const auto field = request.head.find("Authorization");
        field && field->size() > scheme.size() &&
        same_name(field->substr(0, scheme.size()), scheme)) {
        const auto token = field->substr(field->find_first_not_of(' ', scheme.size() - 1));
        return std::string(token);
    }
    auto token = query_value(request.query, "access_token").value_or("");
    // No token has a space: it was a plus sign that nobody has percent-encoded.
    std::replace(token.begin(), token.end(), ' ', '+');
    return token;
}

std::optional<Response> check_token(const Request& request, const GuardOptions& options) {
    const auto& tokens = tokens_for(request, options);
    if (tokens.empty()) return std::nullopt;
    const auto token = shown_token(request);
    if (!token.empty() && tokens.holds(token)) return std::nullopt;
    const auto* const what = reads(request) ? "read" : "publish";
    auto response =
        token.empty()
            ? text_response(401,
                            fmt::format("a token is required to {}: send Authorization: Bearer "
                                        "TOKEN, or add ?access_token=TOKEN\n",
                                        what),
                            Refusal::token)
            : text_response(401, fmt::format("this token is not valid to {} here\n", what),
                            Refusal::token);
    response.headers = {
        {"WWW-Authenticate", token.empty() ? "Bearer" : "Bearer error=\"invalid_token\""},
        {"Cache-Control", "no-store"}};
    return response;
}

} // namespace

void check_origin(const std::string& origin) {
    if (origin == "*") return;
    const auto shown = printable(origin, 100);
    if (origin == "null") {
        throw Error(Errc::invalid_argument,
                    "the origin null cannot be allowed, because any page can send it");
    }
    const auto parsed = Origin::parse(origin);
    if (!parsed) {
        throw Error(Errc::invalid_argument,
                    fmt::format("\"{}\" is not an origin such as https://app.example", shown));
    }
}

void check_allowed_host(const std::string& host) {
    const bool domain = host.starts_with('.');
    const auto entry = Authority::parse(domain ? host.substr(1) : host);
    if (entry && entry->host.front() != '.' && !(domain && IpAddress::parse(entry->host))) return;
    throw Error(Errc::invalid_argument,
                fmt::format("\"{}\" is not a host name", printable(host, 60)));
}

std::optional<Response> guard(const Request& request, const GuardOptions& options) {
    if (!is_safe_host(request, options)) {
        return text_response(403,
                             request.loopback
                                 ? "this server listens on loopback and accepts only loopback "
                                   "names in Host; allow another with --allow-host\n"
                                 : "this server accepts only its addresses and the names of its "
                                   "machine in Host; allow another with --allow-host\n",
                             Refusal::host);
    }
    if (!is_allowed_page(request, options)) {
        return text_response(
            403,
            fmt::format("a page of another origin may not {} here; allow its origin with --cors\n",
                        reads(request) ? "read" : "publish"),
            Refusal::origin);
    }
    if (is_preflight(request) && !allowed_origin(request, options).empty())
        return preflight(options);
    return check_token(request, options);
}

void add_policy_headers(const Request& request, const GuardOptions& options, Response& response) {
    constexpr const char* policy = "Cross-Origin-Resource-Policy";
    if (std::none_of(response.headers.begin(), response.headers.end(),
                     [&](const auto& field) { return same_name(field.first, policy); })) {
        response.headers.emplace_back(policy, allows_any(options) ? "cross-origin" : "same-origin");
    }
    if (options.cors.empty()) return;
    if (!allows_any(options)) response.headers.emplace_back("Vary", "Origin");
    const auto allowed = allowed_origin(request, options);
    if (allowed.empty()) return;
    response.headers.emplace_back("Access-Control-Allow-Origin", allowed);
    if (options.cors_credentials && allowed != "*")
        response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
    response.headers.emplace_back("Access-Control-Expose-Headers", gap_field);
}

} // namespace sse
