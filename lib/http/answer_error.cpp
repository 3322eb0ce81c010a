#include "http/answer_error.hpp"

#include "http/backoff.hpp"
#include "http/interrupt.hpp"
#include "http/media_type.hpp"
#include "protocol/printable.hpp"

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

AnswerError answer_error(std::string what, Reply& reply, const ShownBody& shown) {
    const auto coding = reply.coding();
    if (coding.empty()) {
        const auto limit = Interrupt::Clock::now() + shown.wait;
        const auto body = on_one_line(reply.peek(shown.bytes, limit));
        if (!body.empty()) what += ": " + body;
    }
    const auto after = reply.head().find("Retry-After");
    return {what, reply.status(), essence(reply.head().find("Content-Type").value_or("")),
            std::string(coding),
            after ? parse_retry_after(*after, std::chrono::system_clock::now()) : std::nullopt};
}

} // namespace sse
