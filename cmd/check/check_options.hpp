// The options of sse check. Opens nothing.
#pragma once

#include "check/check.hpp"
#include "cmd/client/connection_flags.hpp"
#include "cmd/client/request_flags.hpp"
#include "cmd/term/terminal.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

enum class CheckFormat : std::uint8_t { text, json, junit, github };

struct CheckOptions {
    std::string url;
    RequestFlags request;
    ConnectionFlags connection;
    std::optional<std::chrono::milliseconds> time;
    bool long_watch = false, single = false, credentials = false;
    unsigned max_connections = 3;
    std::string direct, trigger, publish, origin, explain;
    std::vector<std::string> fix, require, ignore, severity;
    sse::checks::Severity fail_on = sse::checks::Severity::error;
    CheckFormat format = CheckFormat::text;
    Colour colour = Colour::automatic;

    /// How long a stream is watched without --time: without and with --long.
    std::chrono::milliseconds short_time{12'000}, long_time{130'000};
};

/// Adds all options of sse check to `app`, bound to `o`, which must outlive the parse.
void add_check_options(CLI::App& app, CheckOptions& o);

} // namespace cmd
