// sse replay: play a recording back with its timing.
#include "cmd/access.hpp"
#include "cmd/command.hpp"
#include "cmd/listen.hpp"
#include "cmd/playback_options.hpp"
#include "cmd/spool.hpp"
#include "cmd/stdout_text.hpp"
#include "http/playback_handler.hpp"
#include "http/server.hpp"
#include "protocol/error.hpp"
#include "recording/recording_files.hpp"
#include "source/playback.hpp"

#include <CLI/CLI.hpp>
#include <deque>
#include <filesystem>
#include <mutex>

namespace {

/// The files that were named, those of directories among them.
std::vector<std::string> files_of(const std::vector<std::string>& named) {
    std::vector<std::string> files;
    for (const auto& path : named) {
        if (!std::filesystem::is_directory(path)) {
            files.push_back(path);
            continue;
        }
        const auto found = sse::recordings_under(path);
        files.insert(files.end(), found.begin(), found.end());
    }
    return files;
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

/// One recording after the other.
int print(const cmd::ReplayOptions& o) {
    cmd::StdoutText out;
    for (const auto& file : files_of(o.recordings)) {
        sse::Playback playback(file, o.handler.playback);
        try {
            print(playback, o.handler.playback.timing.wait, out);
        } catch (const sse::Error&) {
            out.flush(); // what could be read is played
            throw;
        }
        if (!playback.reader().warning().empty()) cmd::warn(playback.reader().warning());
    }
    out.flush();
    return cmd::Exit::done;
}

int serve(const cmd::ReplayOptions& o) {
    auto files = files_of(o.recordings);
    std::deque<cmd::Spool> spools; // each client reads for itself
    for (auto& file : files) file = spools.emplace_back(file).path();
    auto options = o.handler;
    options.routes.any_path = files.size() == 1 && !std::filesystem::is_directory(o.recordings[0]);
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
    sse::PlaybackHandler handler(files, options, reports);
    server = std::make_unique<sse::Server>(cmd::with_tokens(o.server, o.tokens), handler);
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
    if (says("no recording in it"))
        return "it would end in .jsonl or .jsonl.gz; sse tail --record FILE URL makes one";
    if (says("no record has the id"))
        return "sse replay --stdout --no-wait FILE | grep ^id: lists the ids";
    if (says("newer than")) return "a newer sse reads it";
    if (says("not a recording") || says("is empty") || says("is torn")) {
        return "sse tail --record FILE URL makes recordings; man 5 sse-recording has the format";
    }
    return "man 5 sse-recording says what a line may hold; grep -v or jq can leave that one out";
}

int run(const cmd::ReplayOptions& o) {
    try {
        return o.to_stdout ? print(o) : serve(o);
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::exit_status(e.code()), e.what(), hint_for(e));
    }
}

} // namespace

void cmd::add_replay(CLI::App& app, Run& chosen) {
    auto& sub = *app.add_subcommand("replay", "Play a recording back with its timing");
    const auto options =
        std::make_shared<cmd::ReplayOptions>(); // CLI11 binds by address: outlive the parse
    add_replay_options(sub, *options);
    sub.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
