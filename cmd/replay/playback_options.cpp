#include "cmd/replay/playback_options.hpp"

#include "base/error.hpp"
#include "base/glob.hpp"
#include "base/printable.hpp"
#include "client/client_request.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/server/access.hpp"
#include "cmd/server/listen.hpp"
#include "http/head.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <tuple>
#include <utility>

namespace cmd {

namespace {

using Repeat = sse::PlaybackRouteOptions::Repeat;
const std::map<std::string, RecordingForm> recording_forms = {{"jsonl", RecordingForm::jsonl},
                                                              {"sse", RecordingForm::sse},
                                                              {"har", RecordingForm::har},
                                                              {"curl", RecordingForm::curl}};
const std::map<std::string, Repeat> repeats = {{"last", Repeat::last}, {"cycle", Repeat::cycle}};

/// `30`, `1m30s`: since the start; `id:7`: the record with that id.
sse::PlaybackPoint point(const std::string& flag, const std::string& text,
                         const std::string& others = "") {
    if (text.starts_with("id:")) return {{}, text.substr(3)};
    try {
        return {std::chrono::duration_cast<std::chrono::microseconds>(parse_duration(text)),
                std::nullopt};
    } catch (const sse::Error&) {
        throw CLI::ValidationError(flag,
                                   fmt::format("\"{}\" is neither a time, as 30 or 1m, nor id:ID{}",
                                               sse::printable(text, 60), others));
    }
}

CLI::Option* add_point(CLI::App& app, const std::string& flag,
                       std::optional<sse::PlaybackPoint>& field, const std::string& help) {
    const auto store = [flag, &field](const std::string& text) { field = point(flag, text); };
    return app.add_option_function<std::string>(flag, store, help)
        ->type_name("TIME|id:ID")
        ->group("Playing");
}

/// `Name: value`; not one of those that say how the body is framed.
std::pair<std::string, std::string> header_field(const std::string& line) {
    const auto refuse = [&](const char* why) {
        throw CLI::ValidationError("--header",
                                   fmt::format("\"{}\" {}", sse::printable(line, 100), why));
    };
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) refuse("is not 'Name: value'");
    const auto name = line.substr(0, colon);
    const auto start = std::min(line.find_first_not_of(" \t", colon + 1), line.size());
    sse::ClientRequest checked;
    checked.fields.push_back({name, line.substr(start)});
    try {
        sse::check(checked);
    } catch (const sse::Error&) {
        refuse("cannot be a header field");
    }
    for (const auto* own : {"Transfer-Encoding", "Content-Length", "Connection"}) {
        if (sse::same_name(name, own)) refuse("is set by sse itself");
    }
    return {name, line.substr(start)};
}

void add_playing_options(CLI::App& app, ReplayOptions& o) {
    const auto group = "Playing";
    auto& playback = o.handler.playback;
    auto& timing = playback.timing;
    with_example(add_number(app, "--speed", timing.speed, 1e-6,
                            "Play so many times faster than recorded", 1e9),
                 "10")
        ->group(group);
    app.add_flag_callback(
           "--no-wait", [&timing] { timing.wait = false; }, "Play everything at once")
        ->group(group);
    add_duration(app, "--max-gap", timing.max_gap, "Let no pause of the playing last longer")
        ->group(group);
    add_duration(app, "--interval", timing.interval,
                 "Play with this between events, instead of the recorded time")
        ->group(group);
    const auto rate = [&timing](const std::string& text) {
        const auto per_second = read_number("--rate", text, 1e-3, 1e6);
        timing.interval = std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
    };
    with_example(app.add_option_function<std::string>(
                     "--rate", rate, "Play so many events a second, instead of the recorded time"),
                 "20")
        ->type_name("N")
        ->excludes("--interval")
        ->group(group);
    with_example(add_point(app, "--from", playback.from, "Begin at this time, or after this id"),
                 "1m30s");
    const auto to = [&o, &playback](const std::string& text) { // no form looks like a point
        if (const auto form = recording_forms.find(text); form != recording_forms.end())
            o.form = form->second;
        else playback.to = point("--to", text, ", nor one of the forms jsonl, sse, har and curl");
    };
    with_example(
        app.add_option_function<std::vector<std::string>>(
            "--to",
            [to](const std::vector<std::string>& texts) {
                for (const auto& text : texts) to(text);
            },
            "End at this time, or with this id; or do not play it, but print it in this form: "
            "jsonl, "
            "sse, har or curl"),
        "2m")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("TIME|id:ID|FORM")
        ->group(group);
    app.add_flag("--info", o.info, "Do not play it, but say what is in it")->group(group);
    const auto loop = [&playback](const std::string& laps) {
        playback.laps = laps.empty() ? 0 : read_number<std::uint64_t>("--loop", laps, 1);
    };
    with_example(
        app.add_option_function<std::string>(
            "--loop", loop, "Play it so many times, or for ever; ids get @LAP behind them"),
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
                     "Play only events of this type (repeatable; globs; !TYPE leaves out)"),
                 "update")
        ->allow_extra_args(false)
        ->type_name("TYPE")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "-n,--count", playback.events, 1,
                                           "Play so many events to each client"),
                 "10")
        ->group(group);
    app.add_flag("-f,--follow", o.follow, "The recording is still being written: play what grows")
        ->group(group);
    app.add_flag("--stdout", o.to_stdout, "Print event-stream text in time, instead of serving it")
        ->group(group);
    with_example(app.add_option(
                     "--post", o.post,
                     "Post each event there in time, instead of serving it, and retry what fails"),
                 "http://localhost:8080/in")
        ->type_name("URL")
        ->excludes("--stdout")
        ->group(group);
    app.add_flag(
           "--shared", o.shared,
           "One clock for all clients, which the first one starts; the others join where it is")
        ->group(group);
    app.add_flag("--once", o.once, "Exit when a client has had all")->group(group);
}

void add_route_options(CLI::App& app, ReplayOptions& o) {
    const auto group = "Several recordings";
    add_choice(app, "--repeat", o.handler.routes.repeat, repeats,
               "After the last one of a route: the last again, or the first")
        ->group(group);
    app.add_flag("--match-body", o.handler.routes.match_body,
                 "Choose also by the recorded body of the request")
        ->group(group);
}

void add_fault_options(CLI::App& app, ReplayOptions& o) {
    const auto group = "Faults";
    auto& faults = o.handler.faults;
    auto& playback = o.handler.playback;
    with_example(add_number<std::uint64_t>(app, "--drop-every", faults.drop_every, 1,
                                           "Cut each connection after so many events"),
                 "3")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "--cut-after", faults.cut_after, 1,
                                           "Cut each connection after so many bytes of the body"),
                 "1000")
        ->group(group);
    with_example(
        add_number<std::uint64_t>(app, "--stall-after", faults.stall_after, 1,
                                  "Send nothing more after so many events, and stay connected"),
        "3")
        ->group(group);
    with_example(
        add_number<std::size_t>(app, "--split", faults.split, 1,
                                "Send pieces of so many bytes, through characters and line ends"),
        "1")
        ->group(group);
    add_duration(app, "--coalesce", playback.timing.coalesce,
                 "Hold events back and send them together each time this is over")
        ->group(group);
    add_duration(app, "--jitter", playback.timing.jitter, "Send each event up to so much late")
        ->group(group);
    app.add_flag("--reset", faults.reset, "Cut, and end, with a RST instead of a FIN")
        ->group(group);
    with_example(add_number(app, "--status", faults.status, 200,
                            "Response the first requests with this status", 599),
                 "503")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "--times", faults.status_times, 1,
                                           "How many requests --status answers"),
                 "2")
        ->needs("--status")
        ->group(group);
    add_number<std::uint64_t>(app, "--retry-after", faults.retry_after, 0,
                              "Seconds in the Retry-After that goes with --status")
        ->needs("--status")
        ->group(group);
    app.add_flag_callback(
           "--no-comments", [&playback] { playback.comments = false; },
           "Leave comments out, heartbeats too")
        ->group(group);
    with_example(add_number(app, "--corrupt", faults.corrupt, 0.0,
                            "Flip a bit of each byte with this probability", 1.0),
                 "0.001")
        ->group(group);
    app.add_flag("--wrong-type", faults.wrong_type, "Say that the stream is text/html")
        ->group(group);
    const auto seed = [&faults, &playback](const std::string& text) {
        faults.seed = playback.timing.seed = read_number<std::uint64_t>("--seed", text, 0);
    };
    app.add_option_function<std::string>("--seed", seed, "Of the dice of --jitter and --corrupt")
        ->type_name("N")
        ->default_str("0")
        ->group(group);
}

} // namespace

ReplayOptions::ReplayOptions() {
    server.grace = std::chrono::milliseconds(100);    // a playing need not be drained
    server.request.max_body_bytes = 16 * 1024 * 1024; // prompts hold images
}

void add_replay_options(CLI::App& app, ReplayOptions& o) {
    app.add_option("RECORDING", o.recordings,
                   "What to play: recordings, event-stream text, captures of curl -i, HAR files, "
                   "gzipped or "
                   "not; directories of them; or - for standard input")
        ->required();
    add_playing_options(app, o);
    add_route_options(app, o);
    add_fault_options(app, o);
    add_listen_options(app, o.server, o.port_file);
    add_access_options(app, o.server, o.tokens);
    const auto header = [&o](const std::vector<std::string>& lines) {
        for (const auto& line : lines) o.handler.headers.push_back(header_field(line));
    };
    with_example(
        app.add_option_function<std::vector<std::string>>(
            "--header", header,
            "Response (or --post) with this field, in the place of a recorded one of its name"),
        "'Name: value'")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false)
        ->type_name("'NAME: VALUE'")
        ->group("HTTP");
    add_operation_options(app, o.operation);
}

namespace {

/// What is done to those who connect, or to their bytes, and not to the text of --stdout or less.
void check_faults(const ReplayOptions& o) {
    const char* const instead = o.info            ? "--info"
                                : o.form          ? "--to"
                                : !o.post.empty() ? "--post"
                                : o.to_stdout     ? "--stdout"
                                                  : nullptr;
    if (instead == nullptr) return;
    const auto& faults = o.handler.faults;
    const bool text = o.to_stdout && !o.info && !o.form;
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
        throw Failure(Exit::usage, fmt::format("{} with {}", flag, instead),
                      fmt::format("it is done to clients that connect: leave {} out, and serve the "
                                  "recording",
                                  instead));
    }
}

} // namespace

void check(const ReplayOptions& o) {
    check_faults(o);
    const auto& [from, to] = std::tie(o.handler.playback.from, o.handler.playback.to);
    if (!from || !to || from->id || to->id || from->t <= to->t) return;
    throw Failure(Exit::usage,
                  fmt::format("--to {} comes before --from {}", format_duration(to->t),
                              format_duration(from->t)),
                  "both are times since the start of the recording");
}

} // namespace cmd
