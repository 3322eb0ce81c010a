#include "proxy/forwarding.hpp"

#include "base/content_coding.hpp"
#include "base/error.hpp"
#include "base/take_part.hpp"
#include "base/trimmed.hpp"
#include "client/client_request.hpp"
#include "protocol/chunked.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sse {

namespace {

/// Fields of one connection (RFC 9110, 7.6.1), and those of framing, which each side sets itself.
constexpr std::array<std::string_view, 10> connection_fields = {
    "connection", "keep-alive",          "proxy-connection",  "proxy-authenticate",
    "te",         "proxy-authorization", "transfer-encoding", "content-length",
    "upgrade",    "http2-settings"};

bool is_one_of(std::string_view name, const auto& names) {
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view other) { return same_name(other, name); });
}

/// True if `field` is not passed on: one of the connection, or one that `Connection` names.
class ConnectionFields {
public:
    explicit ConnectionFields(const Head& head)
        : named_(head.members("Connection")) {}
    bool contains(std::string_view name) const {
        return is_one_of(name, connection_fields) || is_one_of(name, named_);
    }

private:
    std::vector<std::string_view> named_;
};

void append_field(std::string_view name, std::string_view value, std::string& out) {
    out.append(name).append(": ").append(value).append("\r\n");
}

/// `query` without its parameters of that name.
std::string without_parameter(std::string_view query, std::string_view name) {
    std::string out;
    while (!query.empty()) {
        const auto pair = take_part(query, '&');
        if (pair.substr(0, pair.find('=')) == name) continue;
        out.append(out.empty() ? "" : "&").append(pair);
    }
    return out;
}

/// `HTTP/1.1 CODE REASON`, whatever the version of the upstream server.
std::string status_line(const Head& head) {
    const auto& line = head.start_line();
    return "HTTP/1.1" + (line.size() > 8 ? line.substr(8) : std::string());
}

} // namespace

std::string origin_target(const Request& request, bool hide_token) {
    std::string_view target = request.target;
    if (!target.starts_with('/') && target != "*") {
        const auto host = target.find("://") + 3; // the reader has accepted it as an absolute form
        const auto end = target.find_first_of("/?#", host);
        target = end == target.npos ? "" : target.substr(end);
    }
    target = target.substr(0, target.find('#'));
    auto out =
        target.starts_with('/') || target == "*" ? std::string(target) : "/" + std::string(target);
    if (const auto mark = out.find('?'); hide_token && mark != out.npos) {
        const auto query =
            without_parameter(std::string_view(out).substr(mark + 1), "access_token");
        out.resize(mark);
        if (!query.empty()) out.append("?").append(query);
    }
    return out;
}

std::string forwarded_target(const Request& request, const Url& upstream, bool hide_token) {
    auto target = origin_target(request, hide_token);
    std::string_view base = upstream.target;
    while (base.ends_with('/')) base.remove_suffix(1);
    if (target == "*") return base.empty() ? target : std::string(base);
    return std::string(base) + target;
}

std::string unsupported_upgrade(const Head& head) {
    if (!head.has_token("Connection", "upgrade")) return {};
    for (const auto protocol : head.members("Upgrade")) {
        const auto name = protocol.substr(0, protocol.find('/'));
        if (!same_name(name, "h2c") && !same_name(name, "HTTP") && !same_name(name, "TLS"))
            return std::string(protocol);
    }
    return {};
}

std::optional<std::string> narrowed_codings(const Head& head) {
    if (head.count("Accept-Encoding") == 0) return std::nullopt;
    std::string out;
    for (const auto member : head.members("Accept-Encoding")) {
        const auto name = trimmed(member.substr(0, member.find(';')));
        if (!same_name(name, "identity") && !ContentDecoder::make(name)) continue;
        out.append(out.empty() ? "" : ", ").append(member);
    }
    return out.empty() ? "identity" : out;
}

std::string forwarded_request_head(const Request& request, const Url& upstream,
                                   const RequestFraming& framing, bool hide_token, bool expect) {
    const auto& head = request.head;
    const ConnectionFields dropped(head);
    std::string out;
    out.append(request.method).append(" ");
    out.append(forwarded_target(request, upstream, hide_token)).append(" HTTP/1.1\r\n");
    append_field("Host", upstream.authority(), out);
    for (const auto& field : head.fields()) {
        if (dropped.contains(field.name) || same_name(field.name, "Host") ||
            same_name(field.name, "Accept-Encoding") ||
            (!framing.chunked && same_name(field.name, "Trailer")) ||
            (hide_token && same_name(field.name, "Authorization")) ||
            (!expect && same_name(field.name, "Expect"))) {
            continue;
        }
        append_field(field.name, field.value, out);
    }
    if (const auto codings = narrowed_codings(head)) append_field("Accept-Encoding", *codings, out);
    if (upstream.has_user && (hide_token || head.count("Authorization") == 0))
        append_field("Authorization", basic_authorization(upstream), out);
    const bool trailers = head.has_token("TE", "trailers");
    append_field("Connection", trailers ? "close, TE" : "close", out);
    if (trailers) append_field("TE", "trailers", out);
    if (framing.chunked) append_field("Transfer-Encoding", "chunked", out);
    else if (framing.length) append_field("Content-Length", std::to_string(*framing.length), out);
    return out.append("\r\n");
}

std::string
forwarded_response_head(const Head& head, const ResponseFraming& framing, const ResponseForm& form,
                        const std::vector<std::pair<std::string, std::string>>& policy) {
    const ConnectionFields dropped(head);
    auto out = status_line(head) + "\r\n";
    for (const auto& field : head.fields()) {
        const bool replaced = std::any_of(policy.begin(), policy.end(), [&](const auto& own) {
            return same_name(own.first, field.name);
        });
        if (!dropped.contains(field.name) && !replaced) append_field(field.name, field.value, out);
    }
    for (const auto& [name, value] : policy) append_field(name, value, out);
    if (form.chunked) {
        append_field("Transfer-Encoding", "chunked", out);
    } else if (framing.kind == BodyFraming::length) {
        append_field("Content-Length", std::to_string(framing.length), out);
    } else if (framing.kind == BodyFraming::none) {
        // Of a response to HEAD or a 304: the length that the body would have.
        const auto lengths = head.members("Content-Length");
        if (!lengths.empty()) append_field("Content-Length", lengths.front(), out);
    }
    if (!form.keep_alive) append_field("Connection", "close", out);
    else if (form.http_1_0) append_field("Connection", "keep-alive", out);
    return out.append("\r\n");
}

std::string forwarded_interim_head(const Head& head) {
    const ConnectionFields dropped(head);
    auto out = status_line(head) + "\r\n";
    for (const auto& field : head.fields()) {
        if (!dropped.contains(field.name)) append_field(field.name, field.value, out);
    }
    return out.append("\r\n");
}

std::string chunked_end(std::string_view trailers) {
    if (trailers.empty()) return std::string(last_chunk);
    std::string out = "0\r\n";
    try {
        const auto head = Head::parse(fmt::format("trailers\r\n{}\r\n", trailers));
        for (const auto& field : head.fields()) {
            // RFC 9110, 6.5.1: fields of framing and routing have no place in trailers.
            if (is_one_of(field.name, connection_fields) || same_name(field.name, "Host")) continue;
            append_field(field.name, field.value, out);
        }
    } catch (const Error&) {
        return std::string(last_chunk);
    }
    return out.append("\r\n");
}

} // namespace sse
