// What a client threw, with the way out of it that somebody at the command line of tail has.
#pragma once

#include "cmd/command.hpp"
#include "http/client.hpp"
#include "protocol/error.hpp"

namespace cmd {

/// No hint offers what `client` was told already.
Failure explained(const sse::Error& error, const sse::Client& client);

} // namespace cmd
