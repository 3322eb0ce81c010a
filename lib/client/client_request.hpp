// A request of the client before it is sent, and how a redirect changes it. No I/O.
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
    std::vector<Head::Field> fields;     ///< in this order, without Host and Content-Length
    std::vector<std::string> suppressed; ///< names of fields not to send
    std::optional<std::string> body;

    const Head::Field* find(std::string_view name) const;
    void erase(std::string_view name);
    /// Replaces every field of that name.
    void set(std::string_view name, std::string_view value);
};

/// Throws Error (invalid_argument) that quotes what cannot be sent: a method or a name that is not
/// a token, a value with CR, LF, NUL or another control byte but HTAB.
void check(const ClientRequest& request);

/// The bytes of the head of `request`, which check() has accepted: with Host and, where there is a
/// body or the method lets a server expect one, Content-Length; without the suppressed fields.
std::string head_of(const ClientRequest& request);

/// Changes `request` to a GET without a body and without the fields that describe one.
void convert_to_get(ClientRequest& request);

/// True for the statuses whose Location a client follows: 301, 302, 303, 307, 308.
bool is_redirect(int status);

/// Changes `request` to the one that follows a redirect (Fetch, 4.4): 303, and 301 and 302 to a
/// POST, become GET without the body; to another origin only fields that cannot hold a secret are
/// sent. Throws Error as Url::resolve does.
void apply_redirect(ClientRequest& request, int status, std::string_view location);

/// The value of an Authorization field for the user info of `url`, `Basic ...`; "" if it has none.
std::string basic_authorization(const Url& url);

} // namespace sse
