#include "server/admission.hpp"

#include <fmt/format.h>

namespace sse {

namespace {

std::string_view reason_text(Refusal reason) {
    switch (reason) {
    case Refusal::address: return "too many clients from this address";
    case Refusal::descriptors: return "the server has no file descriptor left";
    case Refusal::memory: return "the server is receiving too many request bodies";
    default: return "too many clients";
    }
}

bool reads_stream(const Request& head) {
    if (head.method != "GET") return false;
    const auto accept = head.head.find("Accept").value_or("");
    return accept.find("text/html") == accept.npos; // a browser that navigates shows the text
}

} // namespace

Response busy_response(const Request& head, Refusal reason, Busy busy, SeededRandom& random) {
    const auto text = reason_text(reason);
    if (busy == Busy::retry && reads_stream(head)) { // an EventSource never returns after a 503
        Response response;
        response.refusal = reason;
        response.content_type = "text/event-stream; charset=utf-8";
        response.headers = {{"Cache-Control", "no-store, no-transform"}};
        response.body = fmt::format("retry: {}\n: busy: {}\n\n", 3000 + random.below(5000), text);
        return response;
    }
    auto response = text_response(503, fmt::format("{}\n", text), reason);
    response.headers = {{"Retry-After", fmt::format("{}", 3 + random.below(6))}};
    return response;
}

std::optional<Response> refuse_request(const Request& head, const ListenerContext& listener) {
    if (auto refusal = guard(head, *listener.guard)) return refusal;
    return listener.handler->refuse(head);
}

} // namespace sse
