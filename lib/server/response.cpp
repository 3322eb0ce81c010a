#include "server/response.hpp"

namespace sse {

Response text_response(int status, std::string body, Refusal refusal) {
    Response response;
    response.status = status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(body);
    response.refusal = refusal;
    return response;
}

} // namespace sse
