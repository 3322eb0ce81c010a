// Responses to clients that resume, shared by the handlers of channels and of playbacks.
#pragma once

#include "hub/shard.hpp"
#include "server/response.hpp"

#include <string_view>

namespace sse {

/// The channel has ended, and `last_event_id` is the id of its last event. Call it on the shard's
/// loop.
bool has_received_all(Shard& shard, std::string_view last_event_id);

/// 204: the stream has ended, and the client must not reconnect (HTML 9.2.1).
Response stop_reconnecting();

/// Adds the field that reports a gap after the client's last event ID.
void mark_gap(Response& response);

} // namespace sse
