// Pages of other origins, certificates, and the number of streams that a browser can open.
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
        return fmt::format("{} is present more than once", origin_field);
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
    if (!response.has_head()) return unknown("the OPTIONS request received no response");
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
    if (!seen.tls->protocol) return unknown("the TLS handshake failed");
    if (*seen.tls->protocol == "h2") return passed();
    return finding(Severity::warning,
                   "the server does not offer HTTP/2, so a browser opens at most six streams",
                   {seen.tls->protocol->empty()
                        ? "it selected no protocol (ALPN)"
                        : fmt::format("it selected {} from h2 and http/1.1", *seen.tls->protocol)});
}

constexpr Check access_list[] = {
    {"cors", Severity::error, "other origins refused",
     "With --origin: the field Access-Control-Allow-Origin, and with --credentials also "
     "Access-Control-Allow-Credentials. An error if they do not allow that origin.",
     "A page of that origin receives an error and no events. Tools such as curl are not "
     "affected.",
     "send Access-Control-Allow-Origin exactly once, with the origin of the page", Cure::none,
     cors},
    {"cors-preflight", Severity::note, "preflight refused",
     "With --origin: an OPTIONS request that asks whether the fields Authorization and "
     "Last-Event-ID may be sent. A note if they may not.",
     "An EventSource makes no preflight request, but a client that sends these fields with fetch() "
     "does.",
     "answer OPTIONS with Access-Control-Allow-Headers: authorization, last-event-id", Cure::none,
     cors_preflight},
    {"tls-certificate", Severity::error, "certificate not trusted",
     "The verification of the certificate, with the certificate authorities of the system or of "
     "--cacert. An error if it fails.",
     "For a connection that a page makes, a browser shows no warning page that a user could "
     "accept; "
     "the stream just fails.",
     "install a certificate for this name, with its chain", Cure::none, certificate},
    {"tls-expiry", Severity::warning, "certificate expires",
     "The expiry date of the certificate. A warning if it is less than 14 days away.",
     "Certificates are usually renewed automatically a month before they expire, so the renewal "
     "seems to have failed.",
     "renew the certificate, and reload the server", Cure::none, expiry},
    {"http1-only", Severity::warning, "no HTTP/2",
     "The protocol that the server selects from h2 and http/1.1 (ALPN). A warning unless it is h2.",
     "With HTTP/1.1, a browser opens at most six connections to a host, for all tabs together. A "
     "seventh stream, and any other request, then waits until one of them is closed.",
     "put a proxy that speaks HTTP/2 in front of the server", Cure::none, http1_only},
};

} // namespace

std::span<const Check> access_checks() { return access_list; }

} // namespace sse::checks
