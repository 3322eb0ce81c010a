// What every command that listens shares: the flags of a server, and the words when it accepts.
#pragma once

#include "server/server.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// Adds --listen and the server's limits; they must outlive the parse.
void add_listen_options(CLI::App& app, sse::ServerOptions& options, std::string& port_file);

/// Listens; who connects waits until the server runs. A client takes so many descriptors. Throws
/// Failure with the way out.
void listen(sse::Server& server, const sse::ServerOptions& options,
            std::size_t descriptors_of_client = 1);

/// Says on stderr where something is: `sse: WORD URL` for each, with `path` behind it, as this
/// machine reaches it; and a note for those that every network reaches.
void say_where(const char* word, const std::vector<sse::ServerAddress>& addresses,
               const std::string& path);

/// Once nothing can fail any more: says where, `sse: serving URL`, and writes `port_file` if there
/// is one. Throws Failure if that cannot be written.
void announce(sse::Server& server, const std::string& path, const std::string& port_file);

} // namespace cmd
