// A request that is passed on, and the response that comes back: a Feed that writes the whole
// response itself, head included, and receives the body of the request as it arrives. For a proxy;
// a route that makes its own response returns a plain Response.
#pragma once

#include "server/feed.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sse {

/// What it gives is sent as it is: heads of interim responses, the head of the response, its body
/// in its framing with its end. Owned by its connection, used on that connection's loop only. Its
/// destructor is called when the client has gone, too.
class Exchange : public Feed {
public:
    /// The next bytes of the request's body, without transfer coding.
    virtual void on_body(std::string_view bytes) = 0;
    /// The body of the request is complete; also called for a request without one. `trailers`: as
    /// Request::trailers.
    virtual void on_body_end(std::string_view trailers) = 0;
    /// The body of the request is malformed, too long or does not arrive: there will be no more of
    /// it. Gives a response with this status if none has begun, and ends.
    virtual void on_body_error(int status, const std::string& why) = 0;
    /// False: no more of the body is to be read for now. It wakes the connection when that changes.
    virtual bool wants_body() const = 0;
    /// Fields that the policy of the server adds to the response; they replace others of their
    /// names. Called before anything else, if at all.
    virtual void
    set_policy_fields(const std::vector<std::pair<std::string, std::string>>& /*fields*/) {}
    /// Once it has ended: the client was told that the connection stays open for more requests.
    virtual bool keeps_connection() const = 0;
};

} // namespace sse
