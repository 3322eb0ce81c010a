#include "client/http_status_error.hpp"

#include "base/ascii.hpp"
#include "base/interrupt.hpp"
#include "base/printable.hpp"
#include "client/backoff.hpp"
#include "client/json_body.hpp"
#include "http/media_type.hpp"

#include <algorithm>

namespace sse {

namespace {

/// The start of a body as part of an error's line.
std::string on_one_line(std::string_view body) {
    std::string out;
    for (const char c : body) {
        const bool blank = c == ' ' || c == '\n' || c == '\r' || c == '\t';
        if (!blank) out.push_back(c);
        else if (!out.empty() && out.back() != ' ') out.push_back(' ');
    }
    while (out.ends_with(' ')) out.pop_back();
    return printable(out);
}

/// The schemes of all challenges (RFC 9110, 11.6.1): each word that is followed by a space or the
/// end of its list member, and not by `=`.
std::string auth_schemes(const Head& head, std::string_view name) {
    std::string out;
    for (const auto member : head.members(name)) {
        const auto scheme = member.substr(0, member.find(' '));
        if (!is_token(scheme)) continue; // a parameter of the scheme before
        if (!out.empty()) out += ", ";
        std::transform(scheme.begin(), scheme.end(), std::back_inserter(out), ascii_lower);
    }
    return out;
}

/// HTTP/2 is all that the server speaks: the statuses for that (RFC 9110, 15.5.22 and 15.6.6), and
/// the text of Node's http2 module.
bool wants_http2(const ClientResponse& response, std::string_view body) {
    if (response.status() == 505) return true;
    if (response.status() == 426)
        return response.head().has_token("Upgrade", "h2c") ||
               response.head().has_token("Upgrade", "h2") ||
               response.head().has_token("Upgrade", "HTTP/2.0");
    return response.status() == 403 && body.find("ALPN Protocol, expected `h2`") != body.npos;
}

} // namespace

bool is_retryable(int status) {
    return status == 429 || status == 500 || (status >= 502 && status <= 504);
}

HttpStatusError http_status_error(std::string what, ClientResponse& response,
                                  const BodyExcerpt& excerpt, Reason reason) {
    FailedResponse failed;
    failed.status = response.status();
    failed.content_type = essence(response.head().find("Content-Type").value_or(""));
    failed.coding = response.coding();
    failed.auth_schemes = auth_schemes(response.head(), failed.status == 407 ? "Proxy-Authenticate"
                                                                             : "WWW-Authenticate");
    if (const auto after = response.head().find("Retry-After"))
        failed.retry_after = parse_retry_after(*after, std::chrono::system_clock::now());
    if (failed.coding.empty()) {
        const auto body =
            response.read_start(excerpt.bytes, Interrupt::Clock::now() + excerpt.wait);
        if (wants_http2(response, body)) reason = Reason::http2_only;
        else if (failed.status / 100 == 2 &&
                 begins_with_json_line(body, response.end() != BodyEnd::open))
            reason = Reason::json_lines;
        if (const auto text = on_one_line(body); !text.empty()) what += ": " + text;
    }
    return {what, std::move(failed), reason};
}

} // namespace sse
