// Who may come in: the flags of hosts, origins and tokens, which every command that listens has.
#pragma once

#include "server/server.hpp"

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// Where the tokens are; read when the command runs, not while its line is parsed.
struct TokenSources {
    std::vector<std::string> read_files, publish_files;
};

/// Adds --allow-host, --cors, --token-file and those of TLS; all must outlive the parse.
void add_access_options(CLI::App& app, sse::ServerOptions& server, TokenSources& tokens);
/// Adds --publish-token-file, for a command that takes what clients publish.
void add_publish_token_option(CLI::App& app, TokenSources& tokens);

/// `options` with the tokens of the files, or where there is no file, of the environment: SSE_TOKEN
/// to read, SSE_PUBLISH_TOKEN to publish. Warns of files that everybody can read. Throws Failure
/// with the way out, and never with a token.
sse::ServerOptions with_tokens(sse::ServerOptions options, const TokenSources& tokens);

/// Sets TLS up if `options` name a certificate, before the server listens; SIGHUP then makes it
/// read the files again. Says on stderr what is odd. Throws Failure with the way out.
void load_tls(sse::Server& server, const sse::TlsServerOptions& options);

} // namespace cmd
