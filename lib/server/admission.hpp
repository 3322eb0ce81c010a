// Whether a request may go on: the one place that decides it, when its head is complete and before
// its body is read. Pure: a head in, a refusal out.
#pragma once

#include "base/random.hpp"
#include "server/listener_context.hpp"
#include "server/server_options.hpp"

#include <optional>

namespace sse {

/// The response to a connection that is beyond a limit (`reason`: clients, address, descriptors or
/// memory), in the way that `busy` says. `random`: for the time after which to return.
Response busy_response(const Request& head, Refusal reason, Busy busy, SeededRandom& random);

/// The response to `head` if it may not go on: the guard's (Host, Origin, token), then the refusal
/// of the routes (path, method). nullopt if it may.
std::optional<Response> refuse_request(const Request& head, const ListenerContext& listener);

} // namespace sse
