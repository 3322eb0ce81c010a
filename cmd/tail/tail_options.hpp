// The options of sse tail, and the clients and the printer that they describe.
#pragma once

#include "client/client.hpp"
#include "cmd/tail/follower.hpp"
#include "cmd/tail/printer.hpp"
#include "cmd/tail/request_flags.hpp"

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

enum class Colour : std::uint8_t { automatic, always, never };

struct TailOptions {
    std::vector<std::string> urls;  ///< URL..., unnamed
    std::vector<std::string> named; ///< --name NAME=URL
    cmd::RequestFlags request;
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
    std::vector<std::string> resolve;
    bool join = false, stats = false, no_fold = false;
    bool insecure = false, v4 = false, v6 = false, no_reconnect = false, reconnect = false;
};

/// Adds all options of sse tail to `app`, bound to `o`, which must outlive the parse.
void add_tail_options(CLI::App& app, TailOptions& o);

/// One stream to follow.
struct Stream {
    std::string name; ///< the label of its lines, if there are several streams
    sse::ClientOptions client;
};

/// The streams of `o`, in the order of the command line. Throws Failure and sse::Error for usage
/// errors.
std::vector<Stream> streams_of(const TailOptions& o, Format format);

/// The printer of `o`. `terminal`: standard output is one. Throws sse::Error (invalid_argument).
std::unique_ptr<Printer> printer_of(const TailOptions& o, Format format, bool terminal);

} // namespace cmd
