#include "http/guard.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

/// `localhost:8080` and `[::1]:8080` without their port; nullopt if it is no such thing.
std::optional<std::string_view> host_of(std::string_view authority) {
    const auto end = authority.starts_with('[') ? authority.find(']') + 1 : authority.find(':');
    const auto host = authority.substr(0, end);
    const auto port = authority.substr(host.size());
    const bool numeric = port.empty() || (port.front() == ':' &&
                                          std::all_of(port.begin() + 1, port.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; }));
    if (!numeric || (authority.starts_with('[') && end == 0)) return std::nullopt;
    return host;
}

bool is_loopback_name(std::string_view host) {
    if (same_name(host, "localhost") || host == "[::1]" || host.empty()) return true;
    if (host.size() > 10 && same_name(host.substr(host.size() - 10), ".localhost")) return true;
    const bool v4 = std::all_of(host.begin(), host.end(),
                                [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    return v4 && host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3;
}

Answer forbidden(Refusal refusal, std::string why) {
    Answer answer;
    answer.refusal = refusal;
    answer.status = 403;
    answer.content_type = "text/plain";
    answer.body = std::move(why);
    return answer;
}

} // namespace

std::optional<Answer> guard(const Request& request, const GuardOptions& options) {
    if (!request.loopback || request.peer == "unix") return std::nullopt;
    const auto authority = request.head.find("Host").value_or("");
    const auto host = host_of(authority);
    const auto allowed = [&](const std::string& name) { return same_name(name, *host); };
    if (!host || (!is_loopback_name(*host) && std::none_of(options.allowed_hosts.begin(),
                                                           options.allowed_hosts.end(), allowed))) {
        return forbidden(Refusal::host,
                         "this server listens on loopback and answers to loopback names only; "
                         "--allow-host names another\n");
    }
    const auto origin = request.head.find("Origin");
    if (origin &&
        (*origin != fmt::format("http://{}", authority) || request.head.count("Origin") > 1)) {
        return forbidden(Refusal::origin, "a page of another origin may not read this\n");
    }
    return std::nullopt;
}

} // namespace sse
