#include "client/client_request.hpp"

#include "base/ascii.hpp"
#include "base/base64.hpp"
#include "base/error.hpp"
#include "base/printable.hpp"
#include "http/head.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace sse {

namespace {

bool is_forbidden(char c) { return is_control(c) && c != '\t'; }

/// Fields that are sent to another origin, too. Any other that a user added may hold a secret
/// (`X-Api-Key`), and is dropped as Authorization and Cookie are (CVE-2022-1650). The last event ID
/// is kept: it came from the origin that sends the redirect, and without it a stream that moved
/// would start again at each reconnection.
bool is_sent_to_any_origin(std::string_view name) {
    for (const char* known : {"Accept", "Accept-Encoding", "Accept-Language", "Cache-Control",
                              "Content-Language", "Content-Type", "Last-Event-ID", "User-Agent"}) {
        if (same_name(name, known)) return true;
    }
    return false;
}

} // namespace

const Head::Field* ClientRequest::find(std::string_view name) const {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& f) { return same_name(f.name, name); });
    return found == fields.end() ? nullptr : &*found;
}

void ClientRequest::erase(std::string_view name) {
    std::erase_if(fields, [&](const auto& f) { return same_name(f.name, name); });
}

void ClientRequest::set(std::string_view name, std::string_view value) {
    erase(name);
    fields.push_back({std::string(name), std::string(value)});
}

void check(const ClientRequest& request) {
    if (!is_token(request.method)) {
        throw Error(Errc::invalid_argument,
                    fmt::format("\"{}\" is not a method such as GET or POST",
                                printable(request.method, 100)));
    }
    for (const auto& field : request.fields) {
        if (!is_token(field.name)) {
            throw Error(Errc::invalid_argument,
                        fmt::format("\"{}\" is not a header name", printable(field.name, 100)));
        }
        if (std::any_of(field.value.begin(), field.value.end(), is_forbidden)) {
            throw Error(
                Errc::invalid_argument,
                fmt::format("the value of header {} contains a control character", field.name));
        }
    }
}

std::string head_of(const ClientRequest& request) {
    const bool has_body = request.body && !request.body->empty();
    // RFC 9110, 8.6: these methods give a content meaning, so that its absence is stated
    const bool expects_body =
        request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    const auto authority = request.url.authority();
    const auto length = std::to_string(has_body ? request.body->size() : 0);
    std::vector<FieldView> fields;
    for (const auto& [name, value] : request.fields) fields.push_back({name, value});
    if (!request.find("Host")) fields.push_back({"Host", authority});
    if ((has_body && !request.find("Content-Length")) || (!has_body && expects_body))
        fields.push_back({"Content-Length", length});
    std::erase_if(fields, [&](const FieldView& field) {
        return std::any_of(request.suppressed.begin(), request.suppressed.end(),
                           [&](const auto& name) { return same_name(name, field.name); });
    });
    return write_head(fmt::format("{} {} HTTP/1.1", request.method, request.url.target),
                      std::move(fields));
}

void convert_to_get(ClientRequest& request) {
    request.method = "GET";
    request.body.reset();
    for (const char* name :
         {"Content-Type", "Content-Encoding", "Content-Language", "Content-Location"}) {
        request.erase(name);
    }
}

bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void apply_redirect(ClientRequest& request, int status, std::string_view location) {
    const auto target = request.url.resolve(location);
    const bool to_get = ((status == 301 || status == 302) && request.method == "POST") ||
                        (status == 303 && request.method != "GET" && request.method != "HEAD");
    if (to_get) convert_to_get(request);
    if (!same_origin(request.url, target)) {
        std::erase_if(request.fields, [](const auto& f) { return !is_sent_to_any_origin(f.name); });
    }
    request.url = target;
}

std::string basic_authorization(const Url& url) {
    if (!url.has_user) return {};
    std::string value = "Basic ";
    append_base64(url.user + ":" + url.password, value);
    return value;
}

} // namespace sse
