// What a client threw, with the way out of it that somebody at the command line of tail has.
#pragma once

#include "base/error.hpp"
#include "client/client.hpp"
#include "cmd/cli/command.hpp"

namespace cmd {

/// No hint offers what `client` was told already.
Failure explained(const sse::Error& error, const sse::Client& client);

} // namespace cmd
