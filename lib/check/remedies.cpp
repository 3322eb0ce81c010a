#include "check/remedies.hpp"

#include "http/head.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse::checks {

namespace {

struct Remedy {
    Cure cure;
    std::string_view server; ///< as --fix takes it: `nginx`
    std::string_view text;   ///< the setting, and where it belongs
    bool tried;              ///< by our tests; else it is from the documentation of the server
};

constexpr Remedy all_remedies[] = {
    {Cure::unbuffer, "nginx",
     "proxy_buffering off; in the location (fastcgi_buffering off; for FastCGI), or have the "
     "application send X-Accel-Buffering: no",
     true},
    {Cure::unbuffer, "apache",
     "flushpackets=on in the ProxyPass directive or for the FastCGI worker", true},
    {Cure::unbuffer, "haproxy", "option http-no-delay", true},
    {Cure::unbuffer, "varnish", "return (pipe); for the path in vcl_recv", true},
    {Cure::unbuffer, "lighttpd", "server.stream-response-body = 2", true},
    {Cure::unbuffer, "caddy", "flush_interval -1 in reverse_proxy", true},
    {Cure::unbuffer, "kubernetes",
     "the annotation nginx.ingress.kubernetes.io/proxy-buffering: \"off\" on the Ingress", false},
    {Cure::unbuffer, "iis", "responseBufferLimit=\"0\" on the handler", false},
    {Cure::unbuffer, "aws", "response streaming in API Gateway, or a load balancer instead of it",
     false},
    {Cure::unbuffer, "php", "while (ob_get_level()) ob_end_flush(); then flush() after each event",
     true},
    {Cure::unbuffer, "rails",
     "remove the middleware Rack::ETag, or set Last-Modified, so that it skips the response",
     false},
    {Cure::unbuffer, "node", "res.flushHeaders() before the first event", true},
    {Cure::unbuffer, "webpack", "compress: false in the options of the development server", false},
    {Cure::uncompress, "nginx", "remove text/event-stream from gzip_types", true},
    {Cure::uncompress, "apache", "SetEnvIf Request_URI \"^/events\" no-gzip", true},
    {Cure::uncompress, "caddy", "a matcher for the encode directive that excludes the path", true},
    {Cure::uncompress, "haproxy", "remove text/event-stream from compression type", true},
    {Cure::uncompress, "lighttpd", "remove text/event-stream from deflate.mimetypes", true},
    {Cure::uncompress, "node", "res.flush() after each event, with the compression middleware",
     true},
    {Cure::uncompress, "traefik",
     "text/event-stream in excludedContentTypes of the compress middleware", false},
    {Cure::uncompress, "spring", "server.compression.mime-types without text/event-stream", false},
    {Cure::uncompress, "django", "no GZipMiddleware for the view", false},
    {Cure::uncompress, "starlette", "no GZipMiddleware for the route", false},
    {Cure::keep_open, "nginx", "proxy_read_timeout 1h;", true},
    {Cure::keep_open, "haproxy", "timeout server 1h and timeout client 1h", true},
    {Cure::keep_open, "apache", "ProxyTimeout 3600", true},
    {Cure::keep_open, "varnish",
     "a longer between_bytes_timeout of the backend; with pipe, a longer pipe_timeout (a parameter "
     "of varnishd)",
     true},
    {Cure::keep_open, "aws", "a longer idle_timeout.timeout_seconds of the load balancer", false},
    {Cure::keep_open, "gunicorn", "a longer --timeout, or an asynchronous worker", true},
    {Cure::keep_open, "spring", "new SseEmitter(0L)", false},
};

/// The remedy for any server.
std::string_view general(Cure cure) {
    switch (cure) {
    case Cure::unbuffer: return "flush the output after each event, in every layer that buffers";
    case Cure::uncompress:
        return "send Cache-Control: no-transform, or do not compress text/event-stream";
    case Cure::keep_open: return "raise the timeouts of the proxies between server and client";
    case Cure::none: break;
    }
    return {};
}

struct Trace {
    const char *field, *part, *server;
};
constexpr Trace traces[] = {
    {"Server", "nginx", "nginx"},       {"Server", "openresty", "nginx"},
    {"Server", "apache", "apache"},     {"Server", "caddy", "caddy"},
    {"Server", "varnish", "varnish"},   {"Server", "lighttpd", "lighttpd"},
    {"Server", "gunicorn", "gunicorn"}, {"Server", "iis", "iis"},
    {"Server", "awselb", "aws"},        {"Server", "haproxy", "haproxy"},
    {"Via", "varnish", "varnish"},      {"Via", "caddy", "caddy"},
    {"Via", "nginx", "nginx"},          {"X-Varnish", "", "varnish"},
    {"X-Powered-By", "php", "php"},     {"X-Powered-By", "express", "node"},
    {"X-Powered-By", "next", "node"},   {"x-amzn-RequestId", "", "aws"},
    {"X-Amz-Apigw-Id", "", "aws"},      {"Server", "cloudflare", "cloudflare"},
    {"CF-Ray", "", "cloudflare"},
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return out;
}

} // namespace

std::vector<std::string> servers_in(const Observations& seen) {
    std::vector<std::string> servers;
    for (const auto& exchange : seen.exchanges) {
        for (const auto& field : exchange.fields) {
            for (const auto& trace : traces) {
                if (!same_name(field.name, trace.field)) continue;
                if (lower(field.value).find(trace.part) == std::string::npos) continue;
                if (std::find(servers.begin(), servers.end(), trace.server) == servers.end())
                    servers.emplace_back(trace.server);
            }
        }
    }
    return servers;
}

std::vector<std::string> known_servers() {
    std::vector<std::string> names;
    for (const auto& remedy : all_remedies) names.emplace_back(remedy.server);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

std::string_view to_string(Cure cure) {
    switch (cure) {
    case Cure::none: return "";
    case Cure::unbuffer: return "send each event at once";
    case Cure::uncompress: return "leave event streams uncompressed";
    case Cure::keep_open: return "keep connections open";
    }
    return "";
}

std::vector<std::string> general_remedies(const Check& check) {
    std::vector<std::string> texts;
    if (!check.fix.empty()) texts.emplace_back(check.fix);
    if (check.cure != Cure::none) texts.emplace_back(general(check.cure));
    return texts;
}

std::vector<std::string> server_remedies(Cure cure, const std::vector<std::string>& servers) {
    std::vector<std::string> own, every;
    for (const auto& remedy : all_remedies) {
        if (remedy.cure != cure) continue;
        auto text = fmt::format("{}: {}{}", remedy.server, remedy.text,
                                remedy.tried ? "" : " (from its documentation)");
        if (std::find(servers.begin(), servers.end(), remedy.server) != servers.end())
            own.push_back(text);
        every.push_back(std::move(text));
    }
    return own.empty() ? every : own;
}

std::vector<std::string> remedies_for(const Check& check, const std::vector<std::string>& servers) {
    auto texts = general_remedies(check);
    for (auto& text : server_remedies(check.cure, servers)) texts.push_back(std::move(text));
    return texts;
}

} // namespace sse::checks
