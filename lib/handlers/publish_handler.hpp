// A published body as events of a channel: what a POST means. Not a route: it decides nothing about
// who may, or where.
#pragma once

#include "hub/channel.hpp"
#include "input/json_event.hpp"
#include "server/handler.hpp"

namespace sse {

/// Publishes the body of `request` to `channel`, all of it or nothing: text/plain (also what curl
/// -d sends by itself) is the data of one event, application/json one event object,
/// text/event-stream any number of events. Answers 201 with the ids, one a line, of what was
/// published; 400 and why, 415, or 503 where the channel cannot take it now. Never waits: used on
/// loops.
Response publish(const Request& request, Channel& channel, JsonEventReader& json);

} // namespace sse
