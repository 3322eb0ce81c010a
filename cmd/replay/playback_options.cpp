#include "cmd/replay/playback_options.hpp"

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/printable.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/pointers_option.hpp"
#include "cmd/server/access.hpp"
#include "cmd/server/listen.hpp"
#include "cmd/server/response_header.hpp"
#include "http/head.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <tuple>
#include <utility>

namespace cmd {

namespace {

constexpr auto playback_group = "Playback";

using Repeat = sse::PlaybackRouteOptions::Repeat;
const std::map<std::string, RecordingFormat> recording_formats = {{"jsonl", RecordingFormat::jsonl},
                                                                  {"sse", RecordingFormat::sse},
                                                                  {"har", RecordingFormat::har},
                                                                  {"curl", RecordingFormat::curl}};
const std::map<std::string, Repeat> repeats = {{"last", Repeat::last}, {"cycle", Repeat::cycle}};

/// Reads `30` or `1m30s`, a time since the start of the recording, or `id:7`, the last record with
/// that id. `others` ends the message for any other text.
sse::PlaybackPoint point(const std::string& flag, const std::string& text,
                         const std::string& others = "") {
    if (text.starts_with("id:")) return {{}, text.substr(3)};
    try {
        return {std::chrono::duration_cast<std::chrono::microseconds>(parse_duration(text)),
                std::nullopt};
    } catch (const sse::Error&) {
        throw CLI::ValidationError(
            flag, fmt::format("\"{}\" is neither a time such as 30 or 1m nor id:ID{}",
                              sse::printable(text, 60), others));
    }
}

CLI::Option* add_point(CLI::App& app, const std::string& flag,
                       std::optional<sse::PlaybackPoint>& field, const std::string& help) {
    const auto store = [flag, &field](const std::string& text) { field = point(flag, text); };
    return app.add_option_function<std::string>(flag, store, help)
        ->type_name("TIME|id:ID")
        ->group(playback_group);
}

void add_playback_options(CLI::App& app, ReplayOptions& o) {
    const auto* const group = playback_group;
    auto& playback = o.handler.playback;
    auto& timing = playback.timing;
    with_example(
        add_number(app, "--speed", timing.speed, 1e-6, "Play at N times the recorded speed", 1e9),
        "10")
        ->group(group);
    app.add_flag_callback(
           "--no-wait", [&timing] { timing.wait = false; },
           "Play all events at once, without pauses")
        ->group(group);
    add_duration(app, "--max-gap", timing.max_gap, "Limit each pause to this duration")
        ->group(group);
    add_duration(app, "--interval", timing.interval,
                 "Play events at this fixed interval instead of at the recorded times")
        ->group(group);
    const auto rate = [&timing](const std::string& text) {
        const auto per_second = read_number("--rate", text, 1e-3, 1e6);
        timing.interval = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
    };
    with_example(
        app.add_option_function<std::string>(
            "--rate", rate, "Play N events per second, instead of using the recorded times"),
        "20")
        ->type_name("N")
        ->excludes("--interval")
        ->group(group);
    with_example(add_point(app, "--from", playback.from,
                           "Start at this time of the recording, or after the event with this ID"),
                 "1m30s");
    const auto to = [&o, &playback](const std::string& text) { // no format looks like a point
        if (const auto format = recording_formats.find(text); format != recording_formats.end())
            o.format = format->second;
        else playback.to = point("--to", text, ", nor one of the formats jsonl, sse, har and curl");
    };
    with_example(app.add_option_function<std::vector<std::string>>(
                     "--to",
                     [to](const std::vector<std::string>& texts) {
                         for (const auto& text : texts) to(text);
                     },
                     "Stop at this time, or after the event with this ID; or convert the recording "
                     "to jsonl, sse, har or curl on standard output"),
                 "2m")
        ->type_name("TIME|id:ID|FORMAT")
        ->group(group);
    with_example(app.add_option("--output-dir", o.output_directory,
                                "With --to jsonl, write each recording to a file of its own in "
                                "this directory, instead of to standard output"),
                 "recordings")
        ->type_name("DIR")
        ->group(group);
    app.add_flag("--info", o.info, "Print a summary of each recording instead of playing it")
        ->group(group);
    const auto loop = [&playback](const std::string& laps) {
        playback.laps = laps.empty() ? 0 : read_number<std::uint64_t>("--loop", laps, 1);
    };
    with_example(app.add_option_function<std::string>(
                     "--loop", loop,
                     "Play the recording LAPS times, or forever without a number (default 1); from "
                     "lap 2 on, event IDs end in @LAP"),
                 "3")
        ->expected(0, 1)
        ->allow_extra_args(false)
        ->type_name("LAPS")
        ->group(group);
    const auto events = [&playback](const std::vector<std::string>& globs) {
        playback.wanted = [types = sse::GlobList(globs)](const sse::EventView& event) {
            return types.selects(event.type);
        };
    };
    with_example(app.add_option_function<std::vector<std::string>>(
                     "-e,--event", events,
                     "Play only events of this type; * and ? are wildcards, !TYPE excludes a type; "
                     "repeatable"),
                 "update")
        ->type_name("TYPE")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "-n,--count", playback.events, 1,
                                           "Stop after N events for each client (default: all)"),
                 "10")
        ->group(group);
    app.add_flag("-f,--follow", o.follow, "Keep reading a recording that is still being written")
        ->group(group);
    app.add_flag(
           "--stdout", o.to_stdout,
           "Print the event stream to standard output, with its timing, instead of serving it")
        ->group(group);
    with_example(app.add_option("--post", o.post,
                                "POST each event to this URL, with the timing of the recording, "
                                "instead of serving it; retry failed requests"),
                 "http://localhost:8080/in")
        ->type_name("URL")
        ->excludes("--stdout")
        ->group(group);
    app.add_flag("--shared", o.shared,
                 "Use one clock for all clients; the first client starts it, and later clients "
                 "join the playback in progress")
        ->group(group);
    app.add_flag("--once", o.once, "Exit after one client has received the whole recording")
        ->group(group);
}

void add_route_options(CLI::App& app, ReplayOptions& o) {
    const auto group = "Several recordings";
    add_choice(app, "--repeat", o.handler.routes.repeat, repeats,
               "When all recordings that match a request have been served in turn: cycle through "
               "them again, or repeat the last one")
        ->group(group);
    app.add_flag(
           "--match-body", o.handler.routes.match_body,
           "Also match the body of a request against the recorded one; implied for recordings "
           "of sse record")
        ->group(group);
    add_pointers(app, "--match-ignore", o.handler.routes.ignored,
                 "Ignore the value at this JSON pointer when bodies are compared; * selects "
                 "every element of an array; repeatable",
                 "/metadata/request_id")
        ->group(group);
}

void add_fault_options(CLI::App& app, ReplayOptions& o) {
    const auto group = "Faults";
    auto& faults = o.handler.faults;
    auto& playback = o.handler.playback;
    with_example(add_number<std::uint64_t>(app, "--drop-every", faults.drop_every, 1,
                                           "Close each connection after N events (default: never)"),
                 "3")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "--cut-after", faults.cut_after, 1,
                                           "Close each connection after N bytes of the response "
                                           "body, even within an event (default: never)"),
                 "1000")
        ->group(group);
    with_example(add_number<std::uint64_t>(
                     app, "--stall-after", faults.stall_after, 1,
                     "Stop sending after N events, but keep the connection open (default: never)"),
                 "3")
        ->group(group);
    with_example(add_number<std::size_t>(app, "--split", faults.split, 1,
                                         "Send the response body in pieces of N bytes, even within "
                                         "characters and line ends (default: whole events)"),
                 "1")
        ->group(group);
    add_duration(app, "--coalesce", playback.timing.coalesce,
                 "Buffer events and send them together at this interval; 0 does not buffer")
        ->group(group);
    add_duration(app, "--jitter", playback.timing.jitter,
                 "Delay each event by a random time of at most this duration")
        ->group(group);
    app.add_flag("--reset", faults.reset,
                 "Close connections with a TCP reset (RST) instead of a FIN")
        ->group(group);
    with_example(
        add_number(app, "--status", faults.status, 200,
                   "Answer the first --times requests with this HTTP status (default: none)", 599),
        "503")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "--times", faults.status_times, 1,
                                           "Number of requests that --status answers"),
                 "2")
        ->needs("--status")
        ->group(group);
    add_number<std::uint64_t>(app, "--retry-after", faults.retry_after, 0,
                              "Value of the Retry-After header in --status responses, in seconds")
        ->needs("--status")
        ->group(group);
    app.add_flag_callback(
           "--no-comments", [&playback] { playback.comments = false; },
           "Omit comments, including keepalives")
        ->group(group);
    with_example(
        add_number(app, "--corrupt", faults.corrupt, 0.0,
                   "Flip one bit of each byte with this probability, from 0 to 1 (default: 0)",
                   1.0),
        "0.001")
        ->group(group);
    app.add_flag("--wrong-type", faults.wrong_type,
                 "Send the stream with the wrong Content-Type, text/html")
        ->group(group);
    const auto seed = [&faults, &playback](const std::string& text) {
        faults.seed = playback.timing.seed = read_number<std::uint64_t>("--seed", text, 0);
    };
    app.add_option_function<std::string>("--seed", seed,
                                         "Seed of the random numbers of --jitter and --corrupt")
        ->type_name("N")
        ->default_str("0")
        ->group(group);
}

} // namespace

ReplayOptions::ReplayOptions() {
    server.grace = std::chrono::milliseconds(100);    // a client can play the recording again
    server.request.max_body_bytes = 16 * 1024 * 1024; // prompts of model APIs contain images
}

void add_replay_options(CLI::App& app, ReplayOptions& o) {
    app.add_option("RECORDING", o.recordings,
                   "Recordings to play: files (JSON Lines, event-stream text, output of curl -i, "
                   "HAR or a VCR cassette; may be gzipped), directories of such files, or - for "
                   "standard input")
        ->required();
    add_playback_options(app, o);
    add_route_options(app, o);
    add_fault_options(app, o);
    add_listen_options(app, o.server, o.port_file);
    add_io_option(app, o.server);
    add_access_options(app, o.server, o.tokens);
    app.get_option("--cors")->description("Let pages of this origin (such as https://app.example) "
                                          "read the stream; * lets pages of any origin read; "
                                          "repeatable");
    const auto header = [&o](const std::vector<std::string>& lines) {
        for (const auto& line : lines) o.handler.headers.push_back(response_header(line));
    };
    with_example(app.add_option_function<std::vector<std::string>>(
                     "--header", header,
                     "Send this header field with each response, or each request of --post; it "
                     "replaces a recorded field of the same name; repeatable"),
                 "'Name: value'")
        ->type_name("'NAME: VALUE'")
        ->group("HTTP");
    add_operation_options(app, o.operation);
}

namespace {

/// Refuses faults of connections where nothing is served.
void check_faults(const ReplayOptions& o) {
    const char* const instead = o.info            ? "--info"
                                : o.format        ? "--to"
                                : !o.post.empty() ? "--post"
                                : o.to_stdout     ? "--stdout"
                                                  : nullptr;
    if (instead == nullptr) return;
    const auto& faults = o.handler.faults;
    const bool text = o.to_stdout && !o.info && !o.format;
    const std::pair<bool, const char*> refused[] = {{faults.drop_every != 0, "--drop-every"},
                                                    {faults.stall_after != 0, "--stall-after"},
                                                    {faults.reset, "--reset"},
                                                    {faults.status != 0, "--status"},
                                                    {faults.wrong_type, "--wrong-type"},
                                                    {o.shared, "--shared"},
                                                    {faults.cut_after != 0 && !text, "--cut-after"},
                                                    {faults.split != 0 && !text, "--split"},
                                                    {faults.corrupt > 0 && !text, "--corrupt"}};
    for (const auto& [given, flag] : refused) {
        if (!given) continue;
        throw Failure(Exit::usage, fmt::format("{} cannot be combined with {}", flag, instead),
                      fmt::format("{} applies to clients that connect; remove {} to serve the "
                                  "recording",
                                  flag, instead));
    }
}

} // namespace

void check(const ReplayOptions& o) {
    check_faults(o);
    if (!o.output_directory.empty() && o.format != RecordingFormat::jsonl) {
        throw Failure(Exit::usage, "--output-dir needs --to jsonl",
                      "convert recordings with --to jsonl --output-dir DIR");
    }
    const auto& [from, to] = std::tie(o.handler.playback.from, o.handler.playback.to);
    if (!from || !to || from->id || to->id || from->t <= to->t) return;
    throw Failure(Exit::usage,
                  fmt::format("--to {} is before --from {}", format_duration(to->t),
                              format_duration(from->t)),
                  "give a later time to --to; both are times since the start of the recording");
}

} // namespace cmd
