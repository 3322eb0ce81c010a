#include "handlers/viewer_page.hpp"

#include "base/base64.hpp"
#include "base/trimmed.hpp"
#include "handlers/page/page.hpp"
#include "http/head.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <openssl/sha.h>
#include <string>
#include <string_view>

namespace sse {

namespace {

/// The weight `q` of a media range (RFC 9110 12.4.2) in thousandths; 1000 if there is none.
int weight(std::string_view parameters) {
    while (!parameters.empty()) {
        const auto end = std::min(parameters.find(';'), parameters.size());
        const auto parameter = trimmed(parameters.substr(0, end));
        parameters.remove_prefix(std::min(end + 1, parameters.size()));
        if (parameter.size() < 3 || (parameter[0] | 0x20) != 'q' || parameter[1] != '=') continue;
        int value = 0, unit = 1000;
        for (const char c : parameter.substr(2, 5)) {
            if (c == '.') continue;
            if (c < '0' || c > '9') return 0;
            value += (c - '0') * unit;
            unit /= 10;
        }
        return std::min(value, 1000);
    }
    return 1000;
}

/// The weight of the media range `name` in an Accept field; 0 if it is not listed.
int accepted(std::string_view accept, std::string_view name) {
    int best = 0;
    while (!accept.empty()) {
        const auto end = std::min(accept.find(','), accept.size());
        const auto range = trimmed(accept.substr(0, end));
        accept.remove_prefix(std::min(end + 1, accept.size()));
        const auto semicolon = std::min(range.find(';'), range.size());
        if (!same_name(trimmed(range.substr(0, semicolon)), name)) continue;
        const auto parameters = range.substr(semicolon);
        best =
            std::max(best, weight(parameters.substr(std::min<std::size_t>(1, parameters.size()))));
    }
    return best;
}

std::string hash(std::string_view text) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    std::string result = "'sha256-";
    append_base64({reinterpret_cast<const char*>(digest), sizeof digest}, result);
    return result + "'";
}

std::string whole_page() {
    std::string text(page::html);
    const auto put = [&](std::string_view mark, std::string_view part) {
        text.replace(text.find(mark), mark.size(), part);
    };
    put("@SSE_PAGE_CSS@", page::css);
    put("@SSE_PAGE_JS@", page::js);
    return text;
}

} // namespace

bool wants_page(const Request& request) {
    if (const auto mode = request.head.find("Sec-Fetch-Mode")) return *mode == "navigate";
    const auto accept = request.head.find("Accept").value_or("");
    const int html = accepted(accept, "text/html");
    return html > accepted(accept, "*/*") && html > accepted(accept, "text/event-stream");
}

Response viewer_page() {
    static const std::string text = whole_page();
    static const std::string policy =
        fmt::format("default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src "
                    "data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
                    "require-trusted-types-for 'script'; trusted-types 'none'",
                    hash(page::js), hash(page::css));
    Response response;
    response.content_type = "text/html; charset=utf-8";
    // Not stored: its URL may contain a token, and the stream has the same URL.
    response.headers = {
        {"Cache-Control", "no-store"},       {"Vary", page_vary},
        {"Content-Security-Policy", policy}, {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},  {"Cross-Origin-Opener-Policy", "same-origin"}};
    response.body = text;
    return response;
}

} // namespace sse
