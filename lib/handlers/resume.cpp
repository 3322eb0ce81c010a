#include "handlers/resume.hpp"

#include "http/gap_field.hpp"

namespace sse {

bool has_received_all(Shard& shard, std::string_view last_event_id) {
    if (!shard.ended() || last_event_id.empty()) return false;
    auto& history = shard.history();
    const auto found = history.find(last_event_id);
    return found && *found >= history.last(1);
}

Response stop_reconnecting() {
    Response response;
    response.status = 204;
    return response;
}

void mark_gap(Response& response) { response.headers.emplace_back(gap_field, "true"); }

} // namespace sse
