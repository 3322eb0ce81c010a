// sse replay: play a recording back with its timing.
#include "cmd/command.hpp"
#include "cmd/duration.hpp"
#include "cmd/listen.hpp"
#include "cmd/spool.hpp"
#include "cmd/stdout_text.hpp"
#include "http/playback_handler.hpp"
#include "http/server.hpp"
#include "protocol/error.hpp"
#include "source/playback.hpp"

#include <CLI/CLI.hpp>
#include <mutex>

namespace {

struct Options {
    std::string recording;
    sse::PlaybackHandlerOptions handler; // limits and defaults live in lib
    sse::ServerOptions server;
    std::string port_file;
    bool no_wait = false, to_stdout = false, once = false;

    Options() { server.grace = std::chrono::milliseconds(100); } // a playing need not be drained
};

void add_options(CLI::App& app, Options& o) {
    app.add_option("RECORDING", o.recording, "What to play, gzipped or not; - is standard input")
        ->required();

    const auto playing = "Playing";
    auto& playback = o.handler.playback;
    app.add_option("--speed", playback.speed, "Play so many times faster than recorded")
        ->capture_default_str()
        ->check(CLI::Range(1e-6, 1e9))
        ->group(playing);
    app.add_flag("--no-wait", o.no_wait, "Play everything at once")->group(playing);
    cmd::add_duration(app, "--max-gap", playback.max_gap, "Let no pause of the playing last longer")
        ->group(playing);
    app.add_flag("--stdout", o.to_stdout, "Print event-stream text in time, instead of serving it")
        ->group(playing);
    app.add_flag("--once", o.once, "Exit when a client has had all")->group(playing);

    cmd::add_listen_options(app, o.server, o.port_file);
}

/// Event-stream text on stdout, each record when it is due, until the end or until nobody reads.
void print(sse::Playback& playback, bool wait, cmd::StdoutText& out) {
    for (bool open = true; open;) {
        const auto* record = playback.peek();
        if (record == nullptr) return;
        if (wait) {
            const auto now = std::chrono::steady_clock::now();
            const auto due = playback.due(now);
            if (due > now && !(out.flush() && out.wait_until(due))) return;
        }
        sse::append_event_stream(*record, out.text());
        playback.take();
        open = out.written();
    }
}

int print(const Options& o) {
    sse::Playback playback(o.recording, o.handler.playback);
    cmd::StdoutText out;
    try {
        print(playback, o.handler.playback.wait, out);
    } catch (const sse::Error&) {
        out.flush(); // what could be read is played
        throw;
    }
    out.flush();
    if (!playback.reader().warning().empty()) cmd::warn(playback.reader().warning());
    return cmd::Exit::done;
}

int serve(const Options& o) {
    const cmd::Spool spool(o.recording); // each client reads it for itself
    std::unique_ptr<sse::Server> server;
    std::mutex mutex; // of `failure`: reports come from any loop
    std::optional<sse::Error> failure;
    sse::PlaybackReports reports;
    reports.played = [&] {
        if (o.once) server->finish(false);
    };
    reports.failed = [&](const sse::Error& e) {
        if (!o.once) return cmd::warn(e.what());
        const std::lock_guard lock(mutex);
        failure = e;
        server->finish(false);
    };
    sse::PlaybackHandler handler(spool.path(), o.handler, reports);
    server = std::make_unique<sse::Server>(o.server, handler);
    cmd::listen(*server, o.server, "/", o.port_file);
    const int signal = server->run();
    if (failure) throw *failure;
    return signal == 0 ? cmd::Exit::done : 128 + signal;
}

/// The way out of what can be wrong with a recording.
std::string hint_for(const sse::Error& e) {
    const std::string_view what = e.what();
    const auto says = [&](std::string_view part) { return what.find(part) != what.npos; };
    if (e.code() == sse::Errc::io)
        return "name a recording that can be read, or - for standard input";
    if (e.code() == sse::Errc::too_large) return "split the event, or leave that line out";
    if (says("newer than")) return "a newer sse reads it";
    if (says("not a recording") || says("is empty") || says("is torn")) {
        return "sse tail --record FILE URL makes recordings; man 5 sse-recording has the format";
    }
    return "man 5 sse-recording says what a line may hold; grep -v or jq can leave that one out";
}

int run(Options& o) {
    o.handler.playback.wait = !o.no_wait;
    try {
        return o.to_stdout ? print(o) : serve(o);
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::exit_status(e.code()), e.what(), hint_for(e));
    }
}

} // namespace

void cmd::add_replay(CLI::App& app, Run& chosen) {
    auto& sub = *app.add_subcommand("replay", "Play a recording back with its timing");
    const auto options = std::make_shared<Options>(); // CLI11 binds by address: outlive the parse
    add_options(sub, *options);
    sub.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
