// What a server asks of its routes: a request in, a response out. No socket on either side.
#pragma once

#include "server/request.hpp"
#include "server/response.hpp"

#include <cstddef>
#include <optional>

namespace sse {

/// The routes of a server. Its members are called on a loop's thread and must not block; with more
/// than one loop, from several threads at once. `loop` is the number of the loop, from 0.
class Handler {
public:
    virtual ~Handler() = default;
    /// The refusal of a request whose head is complete and whose body has not been read (`head` has
    /// none): no such path, a method that is not allowed. nullopt: respond() will get it whole.
    virtual std::optional<Response> refuse(const Request& /*head*/) { return std::nullopt; }
    /// Called after refuse(), with the head alone. The response if it is known without the body, or
    /// an Exchange, which receives the body as it arrives. nullopt: respond() will get the request
    /// whole.
    virtual std::optional<Response> begin(const Request& /*head*/, std::size_t /*loop*/) {
        return std::nullopt;
    }
    virtual Response respond(const Request& request, std::size_t loop) = 0;
    /// Called on each loop's thread every tick of the server (see ServerOptions).
    virtual void tick(std::size_t /*loop*/) {}
};

} // namespace sse
