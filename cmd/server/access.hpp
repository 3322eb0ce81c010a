// Access control of every command that listens: flags for hosts, origins, tokens and TLS.
#pragma once

#include "net/given_files.hpp"
#include "server/server.hpp"

#include <memory>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// Files of tokens; read when the command runs, not while the command line is parsed.
struct TokenSources {
    std::vector<std::string> read_files, publish_files;
    sse::OpenFile open; ///< how they are opened; empty: as this process may
};

/// Adds --allow-host, --cors, --token-file and the options of TLS; all arguments outlive the parse.
void add_access_options(CLI::App& app, sse::ServerOptions& server, TokenSources& tokens);
/// Adds --publish-token-file, for a command that accepts published events.
void add_publish_token_option(CLI::App& app, TokenSources& tokens);

/// `options` with the tokens from the files or, without a file, from the environment: SSE_TOKEN for
/// reading, SSE_PUBLISH_TOKEN for publishing. Warns about files that every user can read. Throws
/// Failure; its text never contains a token.
sse::ServerOptions with_tokens(sse::ServerOptions options, const TokenSources& tokens);

/// Adds the files that SIGHUP reads again, of certificates, keys and tokens, to `files`, through
/// which they are opened from then on. Before with_tokens().
void open_through(const std::shared_ptr<sse::GivenFiles>& files, sse::ServerOptions& server,
                  TokenSources& tokens);

/// Reads the token files again on SIGHUP; if one cannot be used, warns and keeps the old tokens.
/// Before the server runs; `tokens` must outlive it.
void reload_tokens_on_hangup(sse::Server& server, const TokenSources& tokens);

/// Loads the certificate, if `options` name one, before the server listens; SIGHUP then reloads it.
/// Prints warnings to stderr. Throws Failure.
void load_tls(sse::Server& server, const sse::TlsServerOptions& options);

} // namespace cmd
