// Shared by every command that listens: the flags of a server and its messages at the start.
#pragma once

#include "server/server.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// Adds --listen and the server's limits; the arguments must outlive the parse.
void add_listen_options(CLI::App& app, sse::ServerOptions& options, std::string& port_file);

/// Adds --io, for a command that sends the same events to many clients; `options` must outlive the
/// parse.
void add_io_option(CLI::App& app, sse::ServerOptions& options);

/// Opens the listeners; connections wait until the server runs. `descriptors_of_client`: file
/// descriptors that one client needs. Throws Failure.
void listen(sse::Server& server, const sse::ServerOptions& options,
            std::size_t descriptors_of_client = 1);

/// Prints `sse: WORD URL` to stderr for each address, with `path` appended, as this machine reaches
/// it; and a note for each that other machines reach.
void print_addresses(const char* word, const std::vector<sse::ServerAddress>& addresses,
                     const std::string& path);

/// Writes `port_file`, if one is named, and prints `sse: serving URL`: the last step before the
/// server runs. Throws Failure if the file cannot be written.
void announce(sse::Server& server, const std::string& path, const std::string& port_file);

} // namespace cmd
