// Publishing by POST: turns a request body into events of a channel.
#pragma once

#include "handlers/stored_publications.hpp"
#include "hub/channel.hpp"
#include "input/json_event.hpp"
#include "server/handler.hpp"

namespace sse {

/// How a body becomes events.
enum class PublishAs {
    type, ///< as its Content-Type says
    data, ///< the body is the data of one event, whatever its type
};

/// Publishes the body of `request` to `channel`, all of it or nothing. With PublishAs::type
/// the Content-Type decides:
/// text/plain and application/x-www-form-urlencoded (the default of curl -d) are the data of one
/// event, application/json is one event object, text/event-stream any number of events. Responds
/// 201 with the ids of the events, one per line; 400 or 415 with the reason; 503 if the channel
/// accepts nothing now. With a log, a request with the Idempotency-Key of a recent one publishes
/// nothing, and has the same response with `Sse-Duplicate: true`. Never blocks: if the channel has
/// a log, the response follows later, by way of `stored`. `json` and `stored` are those of the
/// calling loop.
Response publish(const Request& request, Channel& channel, PublishAs as, JsonEventReader& json,
                 StoredPublications& stored);

} // namespace sse
