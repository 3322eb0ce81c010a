#include "http/guard.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

/// `localhost:8080` and `[::1]:8080` without their port.
std::string_view host_of(std::string_view authority) {
    if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
    return authority.substr(0, authority.find(':'));
}

bool is_loopback_name(std::string_view host) {
    if (same_name(host, "localhost") || host == "[::1]" || host.empty()) return true;
    if (host.size() > 10 && same_name(host.substr(host.size() - 10), ".localhost")) return true;
    const bool v4 = std::all_of(host.begin(), host.end(),
                                [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
    return v4 && host.starts_with("127.") && std::count(host.begin(), host.end(), '.') == 3;
}

Answer forbidden(std::string why) {
    Answer answer;
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
    const auto allowed = [&](const std::string& name) { return same_name(name, host); };
    if (!is_loopback_name(host) &&
        std::none_of(options.allowed_hosts.begin(), options.allowed_hosts.end(), allowed)) {
        return forbidden("this server listens on loopback and answers to loopback names only; "
                         "--allow-host names another\n");
    }
    const auto origin = request.head.find("Origin");
    if (origin && *origin != fmt::format("http://{}", authority)) {
        return forbidden("a page of another origin may not read this\n");
    }
    return std::nullopt;
}

} // namespace sse
