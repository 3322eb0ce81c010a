#include "http/handler.hpp"

#include "http/percent.hpp"
#include "protocol/trimmed.hpp"

namespace sse {

Answer text_answer(int status, std::string body, Refusal refusal) {
    Answer answer;
    answer.status = status;
    answer.content_type = "text/plain; charset=utf-8";
    answer.body = std::move(body);
    answer.refusal = refusal;
    return answer;
}

std::string last_event_id(const Request& request) {
    if (const auto id = request.head.find("Last-Event-ID"); id && !id->empty())
        return std::string(*id);
    return std::string(trimmed(query_value(request.query, "last_event_id").value_or("")));
}

} // namespace sse
