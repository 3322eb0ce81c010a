// sse replay: play a recording back with its timing.
#include "base/error.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/replay/playback_options.hpp"
#include "cmd/replay/position_line.hpp"
#include "cmd/replay/post.hpp"
#include "cmd/replay/recordings.hpp"
#include "cmd/server/access.hpp"
#include "cmd/server/listen.hpp"
#include "cmd/server/operation.hpp"
#include "cmd/term/terminal_line.hpp"
#include "handlers/playback_handler.hpp"
#include "playback/playback.hpp"
#include "playback/wire.hpp"
#include "server/server.hpp"

#include <CLI/CLI.hpp>
#include <atomic>
#include <mutex>
#include <unistd.h>

namespace {

/// Event-stream text on stdout, with the faults of bytes that were asked for.
class Printed {
public:
    explicit Printed(const sse::PlaybackFaults& faults) {
        if (faults.split != 0 || faults.cut_after != 0 || faults.corrupt > 0)
            wire_.emplace(sse::Framing::close_delimited, faults);
        pieces_ = faults.split != 0;
    }
    /// False: nobody reads on, or nothing more is to be said.
    bool take(const sse::Record& record) {
        if (!wire_) {
            sse::append_event_stream(record, out_.text());
            return out_.added();
        }
        std::string text;
        sse::append_event_stream(record, text);
        wire_->add(text);
        bool open = true;
        for (auto piece = wire_->next(); open && !piece.empty(); piece = wire_->next()) {
            out_.text().append(piece);
            wire_->consume(piece.size());
            open = pieces_ ? out_.flush() : out_.added();
        }
        if (!wire_->is_cut()) return open;
        out_.flush();
        return false;
    }
    bool flush() { return out_.flush(); }
    bool wait_until(std::chrono::steady_clock::time_point when) {
        return out_.flush() && out_.wait_until(when);
    }

private:
    cmd::Output out_{STDOUT_FILENO};
    std::optional<sse::PlaybackWire> wire_; ///< if there are faults
    bool pieces_ = false;
};

/// Each record when it is due, until the end; false if it was told to stop before. `at` is where it
/// is.
bool print(sse::Playback& playback, bool wait, Printed& out, std::atomic<std::int64_t>& at) {
    constexpr std::chrono::milliseconds look_again{50}; // at a file that grows
    for (bool open = true; open;) {
        const bool grows = playback.grows(); // before what is read, so that nothing is missed
        if (playback.reader().input().would_wait() && !out.flush()) return false;
        const auto* record = playback.peek();
        if (record == nullptr) {
            if (!grows) return true;
            open = out.wait_until(std::chrono::steady_clock::now() + look_again);
            continue;
        }
        if (wait) {
            const auto now = std::chrono::steady_clock::now();
            const auto due = playback.due(now);
            if (due > now && !out.wait_until(due)) return false;
        }
        at.store(record->t.count(), std::memory_order_relaxed);
        open = out.take(*record);
        playback.take();
    }
    return false;
}

/// The recordings for who reads each once, unless what is asked for makes it twice.
cmd::Recordings recordings_once(const cmd::ReplayOptions& o) {
    const auto& playback = o.handler.playback;
    const bool again = playback.laps != 1 || (playback.from && playback.from->id) ||
                       (playback.to && playback.to->id);
    using Pipes = cmd::Recordings::Pipes;
    return {o.recordings, again ? Pipes::kept : Pipes::streamed, o.follow};
}

/// One recording after the other.
int print(const cmd::ReplayOptions& o) {
    const auto& playback = o.handler.playback;
    auto recordings = recordings_once(o);
    auto options = playback;
    recordings.tell(options.reader);
    Printed out(o.handler.faults);
    cmd::PlaybackLengths lengths(options);
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        sse::Playback playing(recordings.open(i, options.reader), options);
        std::atomic<std::int64_t> at{0};
        std::unique_ptr<cmd::TerminalLine> line;
        if (cmd::has_terminal_line() && ::isatty(STDOUT_FILENO) == 0) {
            const auto length = lengths.of(recordings.files()[i]);
            line = std::make_unique<cmd::TerminalLine>([&at, &options, length] {
                return cmd::position_text(std::chrono::microseconds(at.load()), length,
                                          options.timing);
            });
        }
        try {
            if (!print(playing, playback.timing.wait, out, at)) return cmd::Exit::done;
        } catch (const sse::Error&) {
            out.flush(); // what could be read is played
            throw;
        }
        cmd::warn_about(playing, options, recordings.name(i));
    }
    out.flush();
    return cmd::Exit::done;
}

/// Each client reads for itself: what thousands of them take counts for more than a few reads.
constexpr std::size_t served_buffer_bytes = 16 * 1024;

/// What a clock that is shared makes of clients: they join where it is, and one that is too slow
/// misses some; without a clock, all wait for the slowest.
sse::ChannelOptions shared_clock(const cmd::ReplayOptions& o) {
    const auto& faults = o.handler.faults;
    const bool own = faults.drop_every != 0 || faults.cut_after != 0 || faults.stall_after != 0 ||
                     faults.split != 0 || faults.reset || faults.corrupt > 0;
    if (o.shared && own) {
        throw cmd::Failure(cmd::Exit::usage,
                           "--shared does not go with faults of single connections",
                           "leave it out: each client then has its own clock and its own faults");
    }
    sse::ChannelOptions options;
    options.start.at = sse::Start::At::newest;
    const bool waits = o.handler.playback.timing.wait;
    options.overflow = waits ? sse::Overflow::drop : sse::Overflow::block;
    return options;
}

/// Says at once, and not to each client, of which recordings nothing would be played; as far as
/// that shows soon. Throws sse::Error if one cannot be played so.
void warn_about_parts(const cmd::Recordings& recordings, const sse::PlaybackOptions& options) {
    if (!options.from && !options.to && !options.wanted) return;
    const auto until = sse::Playback::Clock::now() + std::chrono::milliseconds(50);
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        sse::Playback playback(recordings.files()[i], options);
        if (!playback.find_start(until)) continue;
        try {
            if (playback.peek(until) == nullptr && !playback.looking())
                cmd::warn_about(playback, options, recordings.name(i));
        } catch (const sse::Error&) { // of a line: what comes before it is played, and then told
        }
    }
}

int serve(const cmd::ReplayOptions& o) {
    const cmd::Recordings recordings(o.recordings, cmd::Recordings::Pipes::kept, o.follow);
    if (recordings.copied() && !o.operation.user.empty()) {
        throw cmd::Failure(
            cmd::Exit::usage, "--user with a pipe or a HAR file",
            "what was kept of it would not be that user's to read: name a recording");
    }
    auto options = o.handler;
    recordings.tell(options.playback.reader);
    options.playback.reader.buffer_bytes = served_buffer_bytes;
    options.routes.any_path = !recordings.routed();
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
    const auto executor = [&](std::size_t loop, std::function<void()> action) {
        server->post(loop, std::move(action));
    };
    const auto shared = shared_clock(o);
    auto listening = o.server;
    if (o.shared && shared.overflow != sse::Overflow::block) listening.unsent_bytes = 0;
    sse::Channels channels(shared, o.server.threads, executor);
    sse::PlaybackHandler handler(recordings.files(), options, reports);
    if (o.shared) handler.share(channels);
    cmd::PlaybackLengths lengths(options.playback);
    if (cmd::has_terminal_line()) {
        handler.show_position = [&](std::chrono::microseconds t, const std::string& file) {
            return cmd::position_text(t, lengths.of(file), options.playback.timing);
        };
    }
    server = std::make_unique<sse::Server>(cmd::with_tokens(listening, o.tokens), handler);
    cmd::Operation operation(o.operation, *server, handler);
    warn_about_parts(recordings, options.playback);
    cmd::listen(*server, o.server, o.shared ? 1 : 2); // its socket and its file
    operation.begin();
    cmd::announce(*server, "/", o.port_file);
    server->on_stop([&] { channels.end(); });
    const int signal = server->run();
    operation.end();
    if (failure) throw *failure;
    return signal == 0 ? cmd::Exit::done : 128 + signal;
}

/// The way out of what can be wrong with a recording.
std::string hint_for(const sse::Error& e) {
    const std::string_view what = e.what();
    const auto says = [&](std::string_view part) { return what.find(part) != what.npos; };
    if (says("cannot write")) return "make room on the disk, or send the output elsewhere";
    if (e.code() == sse::Errc::io)
        return "name a recording that can be read, or - for standard input";
    if (e.code() == sse::Errc::too_large) return "split the event, or leave that line out";
    if (says("no recording in it"))
        return "it would end in .jsonl, .sse or .har; sse tail --record FILE URL makes one";
    if (says("HAR file"))
        return "export it with its content while the network panel is open; Chrome keeps the "
               "events";
    if (says("cannot be followed")) return "gunzip it, or leave --follow out";
    if (says("while it was read")) return "record to another file, and move it when it is whole";
    if (says("no record has the id"))
        return "sse replay --stdout --no-wait FILE | grep ^id: lists the ids";
    if (says("before the beginning"))
        return "--from and --to say where; id:ID is the last record with it";
    if (says("would be sent")) return "leave --loop out, or let more of it be played";
    if (says("newer than")) return "a newer sse reads it";
    if (says("not a recording") || says("is empty") || says("is torn")) {
        return "sse tail --record FILE URL makes recordings; man 5 sse-recording has the format";
    }
    return "man 5 sse-recording says what a line may hold; grep -v or jq can leave that one out";
}

int run(const cmd::ReplayOptions& o) {
    cmd::check(o);
    try {
        if (o.info || o.form) {
            auto recordings = recordings_once(o);
            auto options = o.handler.playback;
            recordings.tell(options.reader);
            options.reader.growing = nullptr; // as it is now
            if (o.info) return cmd::inform(recordings, options.reader);
            return cmd::convert(recordings, options, *o.form);
        }
        if (!o.post.empty()) {
            auto recordings = recordings_once(o);
            auto options = o.handler.playback;
            recordings.tell(options.reader);
            return cmd::post(recordings, options, o.post, o.handler.headers);
        }
        return o.to_stdout ? print(o) : serve(o);
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::exit_status(e.code()), e.what(), hint_for(e));
    }
}

constexpr auto replay_examples =
    "  $ sse replay run.jsonl                       to each client, from the start\n"
    "  $ sse replay --speed 10 recordings/          an API's mock, ten times as fast\n"
    "  $ sse replay --drop-every 3 run.jsonl        does the client resume?\n"
    "  $ sse replay --stdout --max-gap 1s run.jsonl | less\n"
    "  $ sse replay --info run.jsonl                what is in it\n";

} // namespace

void cmd::add_replay(CLI::App& app, Run& chosen) {
    auto& sub = *app.add_subcommand("replay", "Play a recording back with its timing");
    set_help(sub, replay_examples);
    const auto options =
        std::make_shared<cmd::ReplayOptions>(); // CLI11 binds by address: outlive the parse
    add_replay_options(sub, *options);
    sub.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
