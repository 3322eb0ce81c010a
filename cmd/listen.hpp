// What every command that listens shares: the flags of a server, and the words when it accepts.
#pragma once

#include "http/server.hpp"

#include <string>

namespace CLI {
class App;
}

namespace cmd {

/// Adds --listen and the server's limits; they must outlive the parse.
void add_listen_options(CLI::App& app, sse::ServerOptions& options, std::string& port_file);

/// Listens; who connects waits until the server runs. Throws Failure with the way out.
void listen(sse::Server& server, const sse::ServerOptions& options);

/// Once nothing can fail any more: says where on stderr, `sse: serving URL`, and writes `port_file`
/// if there is one. Throws Failure if that cannot be written.
void announce(sse::Server& server, const sse::ServerOptions& options, const std::string& path,
              const std::string& port_file);

} // namespace cmd
