// The command-line options of `sse replay`, and checks of their combinations.
#pragma once

#include "cmd/replay/convert.hpp"
#include "cmd/server/access.hpp"
#include "cmd/server/operation.hpp"
#include "handlers/playback_handler.hpp"
#include "server/server.hpp"

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct ReplayOptions {
    std::vector<std::string> recordings; ///< as given: files, directories, `-`
    sse::PlaybackHandlerOptions handler; // limits and defaults live in lib
    sse::ServerOptions server;
    TokenSources tokens;
    OperationOptions operation;
    std::string port_file;
    std::string output_directory;          ///< --output-dir; "": standard output
    std::string post;                      ///< --post: URL; "": none
    std::optional<RecordingFormat> format; ///< --to: convert instead of playing
    bool info = false, to_stdout = false, once = false, follow = false, shared = false;

    ReplayOptions();
};

/// Adds the options to `app`. `o` must outlive the parse. An invalid value ends the parse with
/// CLI::ValidationError.
void add_replay_options(CLI::App& app, ReplayOptions& o);

/// Throws Failure (usage) for options that cannot be combined.
void check(const ReplayOptions& o);

} // namespace cmd
