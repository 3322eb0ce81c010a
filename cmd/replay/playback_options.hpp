// The flags of `sse replay`, and what they mean together. Plays nothing.
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
    std::vector<std::string> recordings; ///< as typed: files, directories, `-`
    sse::PlaybackHandlerOptions handler; // limits and defaults live in lib
    sse::ServerOptions server;
    TokenSources tokens;
    OperationOptions operation;
    std::string port_file;
    std::string post;                  ///< --post: a URL; "": none
    std::optional<RecordingForm> form; ///< --to: write it instead of playing it
    bool info = false, to_stdout = false, once = false, follow = false, shared = false;

    ReplayOptions();
};

/// Adds them to `app`; `o` must outlive the parse. A value that cannot be ends the parse.
void add_replay_options(CLI::App& app, ReplayOptions& o);

/// Throws Failure (usage) where flags make no sense together.
void check(const ReplayOptions& o);

} // namespace cmd
