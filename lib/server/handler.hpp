// What a server asks of its routes: a request in, an answer out. No socket on either side.
#pragma once

#include "server/request.hpp"
#include "server/response.hpp"

#include <cstddef>

namespace sse {

/// The routes of a server. `answer` is called on a loop's thread (`loop` is its number, from 0) and
/// must not block; with more than one loop, from several threads at once.
class Handler {
public:
    virtual ~Handler() = default;
    virtual Response respond(const Request& request, std::size_t loop) = 0;
    /// Called on each loop's thread every tick of the server (see ServerOptions).
    virtual void tick(std::size_t /*loop*/) {}
};

} // namespace sse
