// Access control before any route: Host, Origin and token of a request, and the headers that tell a
// browser what a page of another origin may do. Pure: a request in, a refusal out.
#pragma once

#include "server/handler.hpp"
#include "server/tokens.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sse {

/// Reading is GET, HEAD and OPTIONS; everything else counts as publishing.
struct GuardOptions {
    /// Host names that are answered to besides those that need no list (see guard()): a page whose
    /// name was rebound to an address of this machine could otherwise read what only its network
    /// may. `HOST` is valid with any port, `HOST:PORT` with that one; `.DOMAIN` is a domain with
    /// all its subdomains.
    std::vector<std::string> allowed_hosts;
    /// Names of this machine; see own_host_names().
    std::vector<std::string> own_names;
    /// Origins whose pages may read and publish, in the form of check_origin(). `*` alone: pages of
    /// any origin may read; to publish, an origin must be named, since every site that somebody
    /// visits could otherwise write to a server that only their machine reaches.
    std::vector<std::string> cors;
    /// Pages of the named origins may send credentials (cookies, TLS client certificates). Not with
    /// `*`.
    bool cors_credentials = false;
    /// Header fields that pages of allowed origins may send, besides the usual ones.
    std::vector<std::string> cors_headers;
    /// If not empty, one of them is needed to read.
    Tokens read_tokens;
    /// If not empty, one of them is needed to publish; if empty, one of read_tokens is.
    Tokens publish_tokens;
    /// TLS asks every client for a certificate.
    bool client_certificates = false;
};

/// Throws Error (invalid_argument) if `origin` is neither `*` nor `SCHEME://HOST[:PORT]`. `null` is
/// refused, too: every sandboxed page and every local file calls itself that.
void check_origin(const std::string& origin);

/// Throws Error (invalid_argument) if `host` is not an entry that allowed_hosts can match.
void check_allowed_host(const std::string& host);

/// The response to `request` if no route may see it; nullopt if it may go on. In this order:
/// - 403 to a foreign Host (DNS rebinding): on a loopback address, any but a loopback name; on a
///   private address, or where all interfaces are listened on, if nothing else (token, client
///   certificate) protects the request, any but an IP address or a name of this machine.
/// - 403 to a page of another origin, by Origin or by Sec-Fetch-Site: on a loopback address, and
///   anywhere if it would publish.
/// - 204 to the preflight of an allowed origin.
/// - 401 without a token (RFC 6750).
std::optional<Response> guard(const Request& request, const GuardOptions& options);

/// Adds to the response to `request` the headers by which a browser lets a page of an allowed
/// origin read it (Fetch, 3.2.3), and no other page embed it (Cross-Origin-Resource-Policy).
void add_policy_headers(const Request& request, const GuardOptions& options, Response& response);

} // namespace sse
