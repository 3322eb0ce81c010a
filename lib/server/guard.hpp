// Who may ask: the checks that come before any route, and what a page of another origin is told.
// Pure: a request in, a refusal out.
#pragma once

#include "server/handler.hpp"
#include "server/tokens.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sse {

/// Reading is GET, HEAD and OPTIONS; everything else counts as publishing.
struct GuardOptions {
    /// Host names that a loopback listener answers to besides its own: without this list a page
    /// whose name was rebound to 127.0.0.1 could read what only this machine may. `HOST` goes with
    /// any port, `HOST:PORT` with that one.
    std::vector<std::string> allowed_hosts;
    /// Origins whose pages may read and publish, as check_origin() takes them. `*` alone: pages of
    /// any origin may read; to publish, an origin must be named, since every site that somebody
    /// visits could otherwise write to a server that only their machine reaches.
    std::vector<std::string> cors;
    /// If not empty, one of them is needed to read.
    Tokens read_tokens;
    /// If not empty, one of them is needed to publish; if empty, one of read_tokens is.
    Tokens publish_tokens;
};

/// Throws Error (invalid_argument) if `origin` is neither `*` nor `SCHEME://HOST[:PORT]`. `null` is
/// refused, too: every sandboxed page and every local file calls itself that.
void check_origin(const std::string& origin);

/// The answer to `request` if no route shall see it; nullopt if it may go on. In this order: 403 to
/// a foreign Host on a loopback listener (DNS rebinding); 403 to a foreign Origin on a loopback
/// listener, and anywhere if it would publish; 204 to the preflight of an origin that may; 401
/// without a token (RFC 6750).
std::optional<Response> guard(const Request& request, const GuardOptions& options);

/// Adds to the answer to `request` what lets the page of an allowed origin read it (Fetch, 3.2.3),
/// and nothing for others. Never Access-Control-Allow-Credentials: a token is not sent by the
/// browser on its own, and so it may not be asked for by pages that do not have it.
void add_cors_headers(const Request& request, const GuardOptions& options, Response& response);

} // namespace sse
