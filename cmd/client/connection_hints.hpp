// Hints for connection errors, which name the options that all clients share.
#pragma once

#include "base/error.hpp"
#include "client/client_options.hpp"

#include <string>

namespace cmd {

/// An instruction that may help, and that `options` do not follow already; "" if the error does not
/// concern a connection or its TLS, proxy or HTTP framing.
std::string connection_hint(const sse::Error& error, const sse::ClientOptions& options);

} // namespace cmd
