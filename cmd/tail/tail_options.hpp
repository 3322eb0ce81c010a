// The options of sse tail. Opens nothing.
#pragma once

#include "client/client.hpp"
#include "cmd/client/connection_flags.hpp"
#include "cmd/client/request_flags.hpp"
#include "cmd/tail/follower.hpp"
#include "cmd/tail/printer.hpp"
#include "cmd/term/terminal.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct TailOptions {
    std::vector<std::string> urls;  ///< URL..., unnamed
    std::vector<std::string> named; ///< --name NAME=URL
    cmd::RequestFlags request;
    cmd::ConnectionFlags connection;
    sse::ClientOptions client;
    cmd::FollowOptions follow;
    cmd::ExecOptions exec;
    std::optional<cmd::Format> format;
    Colour colour = Colour::automatic;
    std::optional<std::chrono::milliseconds> max_time, idle_timeout, gap_warn;
    std::vector<std::string> pointers;
    std::optional<std::string> format_text, missing;
    cmd::Times times = cmd::Times::absolute;
    RecorderOptions record;
    std::string state, stats_file;
    bool join = false, stats = false, no_fold = false;
    bool no_reconnect = false, reconnect = false;
};

/// Adds all options of sse tail to `app`, bound to `o`, which must outlive the parse.
void add_tail_options(CLI::App& app, TailOptions& o);

} // namespace cmd
