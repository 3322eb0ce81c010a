#include "client/http_status_error.hpp"

#include "base/interrupt.hpp"
#include "base/printable.hpp"
#include "client/backoff.hpp"
#include "http/media_type.hpp"

namespace sse {

namespace {

/// The start of a body as a part of an error's line.
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

} // namespace

HttpStatusError http_status_error(std::string what, ClientResponse& response,
                                  const ShownBody& shown) {
    const auto coding = response.coding();
    if (coding.empty()) {
        const auto limit = Interrupt::Clock::now() + shown.wait;
        const auto body = on_one_line(response.peek(shown.bytes, limit));
        if (!body.empty()) what += ": " + body;
    }
    const auto after = response.head().find("Retry-After");
    return {what, response.status(), essence(response.head().find("Content-Type").value_or("")),
            std::string(coding),
            after ? parse_retry_after(*after, std::chrono::system_clock::now()) : std::nullopt};
}

} // namespace sse
