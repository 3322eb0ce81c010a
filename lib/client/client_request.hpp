// A request of the client before it is sent, and what a redirect makes of it. No socket.
#pragma once

#include "http/head.hpp"
#include "http/url.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sse {

struct ClientRequest {
    std::string method = "GET";
    Url url;
    std::vector<Head::Field> fields;  ///< in this order, without Host and Content-Length
    std::vector<std::string> removed; ///< fields that shall not go out, not even as a default
    std::optional<std::string> body;

    const Head::Field* find(std::string_view name) const;
    void erase(std::string_view name);
    /// In the place of every other field of that name.
    void set(std::string_view name, std::string_view value);
};

/// Throws Error (invalid_argument) that quotes what no request can carry: a method or a name that
/// is no token, a value with CR, LF, NUL or another control byte but HTAB.
void check(const ClientRequest& request);

/// Makes a GET of it, without a body and what was said of that.
void become_get(ClientRequest& request);

/// True if `status` (301, 302, 303, 307, 308) makes a client go where Location says.
bool is_redirect(int status);

/// Turns `request` into the one that follows its answer `status` with `location` (Fetch, 4.4): 303,
/// and 301 and 302 to a POST, become GET without the body; to another origin go only the fields
/// that say what is asked for, not who asks. Throws Error as Url::resolve does.
void follow_redirect(ClientRequest& request, int status, std::string_view location);

} // namespace sse
