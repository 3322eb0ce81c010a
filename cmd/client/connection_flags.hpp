// Options for how a client connects: time limits, TLS, addresses. They have the names and meanings
// of curl's options.
#pragma once

#include "client/client_options.hpp"
#include "cmd/client/request_flags.hpp"
#include "net/client_tls.hpp"
#include "net/dial.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct ConnectionFlags {
    sse::DialOptions dial;
    sse::TlsOptions tls;
    std::vector<std::string> resolve; ///< --resolve HOST:PORT:ADDRESS
    bool insecure = false, v4 = false, v6 = false;
};

/// Adds the options to `app`, in the group `Connection`.
void add_connection_flags(CLI::App& app, ConnectionFlags& flags);

/// Sets request, proxy, dial, TLS and decompression of `client` for the URL `url`, as it was typed.
/// `request` must have been passed to complete() (request_flags.hpp). Throws Failure for usage
/// errors.
void apply(const RequestFlags& request, const ConnectionFlags& connection, const std::string& url,
           sse::ClientOptions& client);

} // namespace cmd
