// Pages of other origins, certificates, and the number of streams that a browser can have.
#include "check/check.hpp"
#include "http/head.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse::checks {

namespace {

constexpr double least_days = 14;

std::string shown(std::string_view name, std::string_view value) {
    return value.empty() ? fmt::format("{} is absent", name) : fmt::format("{}: {}", name, value);
}

/// Why a page of the origin may not read the response; "" if it may.
std::string refusal(const Observations& seen, const Exchange& response) {
    constexpr auto origin_field = "Access-Control-Allow-Origin";
    constexpr auto credentials_field = "Access-Control-Allow-Credentials";
    const auto allowed = response.field(origin_field);
    if (std::count_if(response.fields.begin(), response.fields.end(),
                      [&](const auto& field) { return same_name(field.name, origin_field); }) > 1)
        return fmt::format("{} is there more than once", origin_field);
    if (allowed != seen.origin && !(allowed == "*" && !seen.credentials))
        return shown(origin_field, allowed);
    if (seen.credentials && response.field(credentials_field) != "true")
        return shown(credentials_field, response.field(credentials_field));
    return {};
}

Verdict cors(const Observations& seen) {
    const auto& main = seen.main();
    if (seen.origin.empty()) return unknown("use --origin to check it");
    if (!main.has_head()) return not_applicable();
    const auto why = refusal(seen, main);
    if (why.empty()) return passed();
    return finding(Severity::error, fmt::format("pages of {} may not read the stream", seen.origin),
                   {why});
}

Verdict cors_preflight(const Observations& seen) {
    const auto& response = seen.of(Probe::preflight);
    if (!response.made()) return not_applicable();
    if (!response.has_head()) return unknown("the OPTIONS request got no response");
    std::vector<std::string> evidence;
    if (response.status / 100 != 2) evidence.push_back(fmt::format("status {}", response.status));
    if (auto why = refusal(seen, response); !why.empty()) evidence.push_back(std::move(why));
    const auto allowed = response.field("Access-Control-Allow-Headers");
    for (const std::string_view name : {"authorization", "last-event-id"}) {
        const auto place = std::search(allowed.begin(), allowed.end(), name.begin(), name.end(),
                                       [](char a, char b) {
                                           return same_name({&a, 1}, {&b, 1});
                                       });
        if (place == allowed.end() && !(allowed == "*" && name != "authorization"))
            evidence.push_back(fmt::format("{} is not among the allowed header fields", name));
    }
    if (evidence.empty()) return passed();
    return finding(
        Severity::note,
        fmt::format("fetch() in pages of {} cannot send Authorization or resume", seen.origin),
        evidence);
}

Verdict certificate(const Observations& seen) {
    if (!seen.tls) return not_applicable();
    if (seen.tls->problem.empty()) return passed();
    return finding(Severity::error, "browsers refuse the certificate", {seen.tls->problem});
}

Verdict expiry(const Observations& seen) {
    if (!seen.tls || !seen.tls->days_left || !seen.tls->problem.empty()) return not_applicable();
    if (*seen.tls->days_left >= least_days) return passed();
    return finding(Severity::warning, "the certificate expires soon",
                   {fmt::format("in {:.1f} days", *seen.tls->days_left)});
}

Verdict http1_only(const Observations& seen) {
    if (!seen.tls) return not_applicable();
    if (!seen.tls->protocol) return unknown("the TLS handshake could not be made");
    if (*seen.tls->protocol == "h2") return passed();
    return finding(Severity::warning,
                   "the server does not offer HTTP/2: a browser opens six streams at most",
                   {seen.tls->protocol->empty()
                        ? "it chose no protocol (ALPN)"
                        : fmt::format("it chose {} of h2 and http/1.1", *seen.tls->protocol)});
}

constexpr Check access_list[] = {
    {"cors", Severity::error, "other origins refused",
     "With --origin: Access-Control-Allow-Origin, and with --credentials "
     "Access-Control-Allow-Credentials.",
     "A page of another origin gets an error and no event. Tools such as curl are not affected.",
     "send Access-Control-Allow-Origin with the origin of the page, once", Cure::none, cors},
    {"cors-preflight", Severity::note, "preflight refused",
     "With --origin: an OPTIONS request that asks for authorization and last-event-id.",
     "EventSource sends neither by itself in a way that needs a preflight, but clients that use "
     "fetch() do.",
     "answer OPTIONS with Access-Control-Allow-Headers: authorization, last-event-id", Cure::none,
     cors_preflight},
    {"tls-certificate", Severity::error, "certificate not trusted",
     "The verification of the certificate, with the system's authorities or those of --cacert.",
     "Browsers show no warning for the connections of a page: the stream just fails.",
     "install a certificate for this name, with its chain", Cure::none, certificate},
    {"tls-expiry", Severity::warning, "certificate expires",
     "The last day of the certificate. A warning with less than 14 days.",
     "Certificates that are renewed by themselves are renewed a month before.",
     "renew the certificate, and reload the server", Cure::none, expiry},
    {"http1-only", Severity::warning, "no HTTP/2",
     "The choice of the server between h2 and http/1.1 (ALPN).",
     "With HTTP/1.1, a browser has six connections to a host, for all tabs together. A seventh "
     "stream, or any other request then, waits for ever.",
     "put a proxy that speaks HTTP/2 in front", Cure::none, http1_only},
};

} // namespace

std::span<const Check> access_checks() { return access_list; }

} // namespace sse::checks
