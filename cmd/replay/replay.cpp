// sse replay: play back recorded event streams with their original timing.
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
#include "playback/playback_driver.hpp"
#include "playback/wire.hpp"
#include "server/server.hpp"

#include <CLI/CLI.hpp>
#include <atomic>
#include <mutex>
#include <unistd.h>

namespace {

/// Writes event-stream text to standard output, with the faults of `--cut-after`, `--split` and
/// `--corrupt`.
class StreamPrinter {
public:
    explicit StreamPrinter(const sse::PlaybackFaults& faults) {
        if (faults.split != 0 || faults.cut_after != 0 || faults.corrupt > 0)
            wire_.emplace(sse::Framing::close_delimited, faults);
        pieces_ = faults.split != 0;
    }
    /// False: standard output was closed, or the limit of `--cut-after` is reached.
    bool print(const sse::Record& record, sse::StreamFormat format) {
        if (!wire_) {
            sse::append_record(record, format, out_.text());
            return out_.added();
        }
        std::string text;
        sse::append_record(record, format, text);
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
    cmd::Output out_{STDOUT_FILENO, {.escape_on_terminal = true}};
    std::optional<sse::PlaybackWire> wire_; ///< only with faults
    bool pieces_ = false;
};

/// Prints each record when it is due. False if standard output was closed first. Stores `t` of the
/// newest record in `position`.
bool print(sse::Playback& playback, StreamPrinter& out, std::atomic<std::int64_t>& position) {
    using Kind = sse::PlaybackStep::Kind;
    sse::PlaybackDriver driver(playback);
    for (bool open = true; open;) {
        if (playback.reader().input().would_wait() && !out.flush()) return false;
        const auto step = driver.step();
        if (step.kind == Kind::end) return true;
        if (step.kind == Kind::wait) open = out.wait_until(step.when);
        if (step.kind != Kind::send) continue;
        position.store(step.record->t.count(), std::memory_order_relaxed);
        open = out.print(*step.record, playback.format());
        playback.advance();
    }
    return false;
}

/// Opens the recordings for reading them once, or from copies if the options require two passes.
cmd::Recordings recordings_once(const cmd::ReplayOptions& o) {
    const auto& playback = o.handler.playback;
    const bool twice = playback.laps != 1 || (playback.from && playback.from->id) ||
                       (playback.to && playback.to->id);
    using Pipes = cmd::Recordings::Pipes;
    return {o.recordings, twice ? Pipes::kept : Pipes::streamed, o.follow};
}

/// Prints the recordings one after the other.
int print(const cmd::ReplayOptions& o) {
    const auto& playback = o.handler.playback;
    auto recordings = recordings_once(o);
    auto options = playback;
    recordings.configure(options.reader);
    StreamPrinter out(o.handler.faults);
    cmd::PlaybackLengths lengths(options);
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        sse::Playback played(recordings.open(i, options.reader), options);
        std::atomic<std::int64_t> at{0};
        std::unique_ptr<cmd::TerminalLine> line;
        if (cmd::has_terminal_line() && ::isatty(STDOUT_FILENO) == 0) {
            const auto length = lengths.length_of(recordings.files()[i]);
            line = std::make_unique<cmd::TerminalLine>([&at, &options, length] {
                return cmd::position_text(std::chrono::microseconds(at.load()), length,
                                          options.timing);
            });
        }
        try {
            if (!print(played, out, at)) return cmd::Exit::done;
        } catch (const sse::Error&) {
            out.flush(); // the records before the error
            throw;
        }
        cmd::warn_about(played, options, recordings.name(i));
    }
    out.flush();
    return cmd::Exit::done;
}

/// Read buffer of one client. Small, since there may be thousands of clients.
constexpr std::size_t served_buffer_bytes = 16 * 1024;

/// Channel options of `--shared`: clients join in progress, and a slow client misses events. With
/// `--no-wait`, the playback waits for the slowest client instead.
sse::ChannelOptions shared_clock(const cmd::ReplayOptions& o) {
    const auto& faults = o.handler.faults;
    const bool own = faults.drop_every != 0 || faults.cut_after != 0 || faults.stall_after != 0 ||
                     faults.split != 0 || faults.reset || faults.corrupt > 0;
    if (o.shared && own) {
        throw cmd::Failure(
            cmd::Exit::usage, "--shared cannot be combined with faults of single connections",
            "remove --shared; each client then has its own playback and its own faults");
    }
    sse::ChannelOptions options;
    options.start.at = sse::Start::At::newest;
    const bool waits = o.handler.playback.timing.wait;
    options.overflow = waits ? sse::Overflow::drop : sse::Overflow::block;
    return options;
}

/// Warns at the start about recordings of which nothing would be played, as far as that can be
/// found in a short time. Throws sse::Error if a recording cannot be played with `options`.
void warn_about_empty(const cmd::Recordings& recordings, const sse::PlaybackOptions& options) {
    if (!options.from && !options.to && !options.wanted) return;
    const auto until = sse::Playback::Clock::now() + std::chrono::milliseconds(50);
    for (std::size_t i = 0; i < recordings.files().size(); ++i) {
        sse::Playback playback(recordings.files()[i], options);
        if (!playback.find_start(until)) continue;
        try {
            if (playback.peek(until) == nullptr && !playback.searching())
                cmd::warn_about(playback, options, recordings.name(i));
        } catch (const sse::Error&) { // of a line: reported when the playback reaches it
        }
    }
}

int serve(cmd::ReplayOptions o) {
    cmd::open_through(o.operation.files, o.server, o.tokens);
    const cmd::Recordings recordings(o.recordings, cmd::Recordings::Pipes::kept, o.follow);
    if (recordings.has_copies() && !o.operation.user.empty()) {
        throw cmd::Failure(
            cmd::Exit::usage,
            "--user cannot be combined with a pipe, a HAR file, a cassette or a store",
            "convert the input first with --to jsonl, because that user could not "
            "read a temporary copy");
    }
    auto options = o.handler;
    recordings.configure(options.playback.reader);
    options.playback.reader.buffer_bytes = served_buffer_bytes;
    options.routes.any_path = !recordings.routed();
    std::unique_ptr<sse::Server> server;
    std::mutex mutex; // guards `failure`: reports come from any loop
    std::optional<sse::Error> failure;
    sse::PlaybackReports reports;
    reports.played = [&] {
        if (o.once) server->drain(false);
    };
    reports.failed = [&](const sse::Error& e) {
        if (!o.once) return cmd::warn(e.what());
        const std::lock_guard lock(mutex);
        failure = e;
        server->drain(false);
    };
    const auto executor = [&](std::size_t loop, std::function<void()> action) {
        server->post(loop, std::move(action));
    };
    const auto shared = shared_clock(o);
    auto listening = o.server;
    if (o.shared && shared.overflow != sse::Overflow::block) listening.unsent_bytes = 0;
    sse::Channels channels(shared, o.server.threads, executor);
    channels.use_hooks({[&](std::size_t loop) { server->begin_sends(loop); },
                        [&](std::size_t loop) { server->end_sends(loop); }});
    sse::PlaybackHandler handler(recordings.files(), options, reports);
    if (o.shared) handler.share(channels);
    cmd::PlaybackLengths lengths(options.playback);
    if (cmd::has_terminal_line()) {
        handler.show_position = [&](std::chrono::microseconds t, const std::string& file) {
            return cmd::position_text(t, lengths.length_of(file), options.playback.timing);
        };
    }
    server = std::make_unique<sse::Server>(cmd::with_tokens(listening, o.tokens), handler);
    cmd::Operation operation(o.operation, *server, handler);
    cmd::reload_tokens_on_hangup(*server, o.tokens);
    warn_about_empty(recordings, options.playback);
    cmd::listen(*server, o.server, o.shared ? 1 : 2); // descriptors per client: socket and file
    operation.begin();
    cmd::announce(*server, "/", o.port_file);
    operation.settle(cmd::Operation::Programs::none, {}, recordings.files());
    server->on_stop([&] { channels.end(); });
    const int signal = server->run();
    operation.end();
    if (failure) throw *failure;
    return signal == 0 ? cmd::Exit::done : 128 + signal;
}

/// The hint for an error of a recording.
std::string hint_for(const sse::Error& e) {
    switch (e.reason()) {
    case sse::Reason::write_failed:
        return "free space on the disk, or redirect the output to another one";
    case sse::Reason::no_recording:
        return "name a directory with .jsonl, .ndjson, .sse or .har files; sse tail --record FILE "
               "URL makes a recording";
    case sse::Reason::har_without_events:
        return "open the network panel of the browser before loading the page, then export a HAR "
               "file with content; Chrome includes the events";
    case sse::Reason::cannot_follow: return "decompress the file, or remove --follow";
    case sse::Reason::truncated_meanwhile:
        return "record to another file, and move it here when it is complete";
    case sse::Reason::id_not_found:
        return "list the IDs with: sse replay --stdout --no-wait FILE | grep ^id:";
    case sse::Reason::empty_range: return "give --to a later point than --from";
    case sse::Reason::empty_lap: return "remove --loop, or play a larger part of the recording";
    case sse::Reason::playback_too_long: return "reduce --loop, or shorten pauses with --max-gap";
    case sse::Reason::newer_version: return "install a newer version of sse";
    case sse::Reason::not_a_recording:
    case sse::Reason::empty_recording:
        return "make a recording with sse tail --record FILE URL; man 5 sse-recording describes "
               "the format";
    default: break;
    }
    if (e.code() == sse::Errc::io) return "name a readable recording, or - for standard input";
    if (e.code() == sse::Errc::too_large)
        return "remove that line, or split its event into smaller ones";
    return "remove that line with grep -v or jq; man 5 sse-recording describes the format";
}

int run(const cmd::ReplayOptions& o) {
    cmd::check(o);
    try {
        if (o.info || o.format) {
            auto recordings = recordings_once(o);
            auto options = o.handler.playback;
            recordings.configure(options.reader);
            options.reader.growing = nullptr; // the file as it is now
            if (o.info) return cmd::print_info(recordings, options.reader);
            return cmd::convert(recordings, options, *o.format, o.output_directory);
        }
        if (!o.post.empty()) {
            auto recordings = recordings_once(o);
            auto options = o.handler.playback;
            recordings.configure(options.reader);
            return cmd::post(recordings, options, o.post, o.handler.headers);
        }
        return o.to_stdout ? print(o) : serve(o);
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::exit_status(e.code()), e.what(), hint_for(e));
    }
}

constexpr auto replay_examples =
    "  $ sse replay run.jsonl                  serve a recording to each client\n"
    "  $ sse replay --speed 10 recordings/     mock an API at ten times the speed\n"
    "  $ sse replay --drop-every 3 run.jsonl   test whether a client resumes\n"
    "  $ sse replay --stdout --max-gap 1s run.jsonl | less\n"
    "  $ sse replay --info run.jsonl           print a summary\n";

} // namespace

void cmd::add_replay(CLI::App& command, Run& chosen) {
    set_help(command, replay_examples);
    const auto options =
        std::make_shared<cmd::ReplayOptions>(); // CLI11 binds by address: outlive the parse
    add_replay_options(command, *options);
    command.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
