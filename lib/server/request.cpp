#include "server/request.hpp"

#include "base/percent.hpp"
#include "base/trimmed.hpp"

namespace sse {

std::string last_event_id(const Request& request) {
    if (const auto id = request.head.find("Last-Event-ID"); id && !id->empty())
        return std::string(*id);
    return std::string(trimmed(query_value(request.query, "last_event_id").value_or("")));
}

} // namespace sse
