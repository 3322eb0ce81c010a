// The hint for an error of a client, in terms of tail's options.
#pragma once

#include "base/error.hpp"
#include "client/client.hpp"
#include "cmd/cli/command.hpp"

#include <string>

namespace cmd {

/// An instruction that may help, and that `options` do not follow already. `opened`: the stream has
/// been open.
std::string client_hint(const sse::Error& error, const sse::ClientOptions& options, bool opened);

/// `error` of `client` as the failure of a command.
Failure explained(const sse::Error& error, const sse::Client& client);

} // namespace cmd
