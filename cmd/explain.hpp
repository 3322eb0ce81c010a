// What the library threw, with the way out of it that somebody at a command line has.
#pragma once

#include "cmd/command.hpp"
#include "protocol/error.hpp"

namespace cmd {

/// For the errors of a client.
Failure explained(const sse::Error& error);

} // namespace cmd
