// sse tail: follow streams and print their events.
#include "client/client.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/cli/signals.hpp"
#include "cmd/tail/client_hints.hpp"
#include "cmd/tail/follower.hpp"
#include "cmd/tail/last_id_file.hpp"
#include "cmd/tail/recorder.hpp"
#include "cmd/tail/stats_output.hpp"
#include "cmd/tail/tail_options.hpp"
#include "cmd/tail/tail_streams.hpp"
#include "cmd/tail/unfinished_output.hpp"

#include <CLI/CLI.hpp>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace {

using sse::Client;
using Reason = sse::Interrupt::Reason;

/// A stream with its client. All are created before any runs, so that usage errors come first.
class Followed {
public:
    Followed(cmd::Stream stream, cmd::FollowContext& context, bool marked,
             sse::Interrupt& interrupt)
        : follower_(context, marked ? stream.name : "", stream.client.request.url.text())
        , client_(std::move(stream.client), follower_, interrupt)
        , interrupt_(interrupt)
        , marked_(marked) {
        follower_.follow(client_, [this] {
            client_.stop();
            interrupt_.raise(Reason::satisfied);
        });
    }

    /// Follows the stream to its end. Does not throw: failure() has the exception. A failure of the
    /// output or of a file ends the other streams, too.
    void run() {
        try {
            try {
                follower_.on_end(client_.run());
            } catch (const sse::Error& e) {
                failure_ = std::make_exception_ptr(cmd::explained(e, client_));
                if (marked_) cmd::warn(e.what()); // the other streams continue
            }
            follower_.on_pause();
        } catch (...) {
            failure_ = std::current_exception();
            has_local_failure_ = true;
            interrupt_.raise(Reason::failed);
        }
    }
    std::exception_ptr failure() const { return failure_; }
    /// The failure is one of the output or of a file, and fatal even if the stream ended well.
    bool has_local_failure() const { return has_local_failure_; }

private:
    cmd::Follower follower_;
    Client client_;
    sse::Interrupt& interrupt_;
    bool marked_, has_local_failure_ = false;
    std::exception_ptr failure_;
};

/// Runs all streams: the first on this thread, each other one on a thread of its own.
void follow(const std::vector<std::unique_ptr<Followed>>& all, sse::Interrupt& interrupt) {
    std::vector<std::thread> threads;
    const auto join = [&] {
        for (auto& thread : threads) thread.join();
    };
    try {
        for (std::size_t i = 1; i < all.size(); ++i)
            threads.emplace_back([&followed = *all[i]] { followed.run(); });
    } catch (const std::system_error& e) {
        interrupt.raise(Reason::failed);
        join();
        throw std::system_error(
            e.code(), fmt::format("cannot start a thread for each of {} URLs", all.size()));
    }
    all.front()->run();
    join();
}

/// The status line is shown only if standard output is a file: the reader of a pipe may itself
/// write to the terminal.
bool wants_status_line() {
    struct stat out {};
    return ::fstat(STDOUT_FILENO, &out) == 0 && (S_ISREG(out.st_mode) || S_ISCHR(out.st_mode)) &&
           ::isatty(STDOUT_FILENO) == 0 && cmd::has_terminal_line();
}

/// The exit status after all streams have ended.
int conclude(const cmd::TailOptions& o, const cmd::FollowContext& context,
             const sse::Interrupt& interrupt, const cmd::Signals& signals,
             std::exception_ptr failure) {
    switch (interrupt.reason()) {
    case Reason::satisfied: return cmd::Exit::done;
    case Reason::reader_gone: return cmd::Exit::done;
    case Reason::expired:
        throw cmd::Failure(
            cmd::Exit::timed_out,
            fmt::format("the time limit of {} has passed", cmd::format_duration(*o.max_time)),
            "raise the limit with --max-time");
    case Reason::idle:
        throw cmd::Failure(
            cmd::Exit::timed_out,
            fmt::format("no data arrived for {}", cmd::format_duration(*o.idle_timeout)),
            "raise the limit with --idle-timeout");
    case Reason::raised:
        if (signals.caught() != 0) return 128 + signals.caught();
        break;
    case Reason::failed:
    case Reason::none: break;
    }
    if (failure && o.record.path == "-" && cmd::reader_has_gone()) return cmd::Exit::done;
    if (failure) std::rethrow_exception(failure);
    if (context.satisfied()) return cmd::Exit::done;
    throw cmd::Failure(
        cmd::Exit::incomplete,
        fmt::format("the stream ended after {} event{}, before the stop condition was met",
                    context.printed, context.printed == 1 ? "" : "s"),
        "check -n, --until and --until-data, which set the condition");
}

cmd::EventEnd event_end(const cmd::TailOptions& o, cmd::Format format) {
    if (o.join || o.record.path == "-") return cmd::EventEnd::none;
    if (o.format_text || !o.pointers.empty()) return cmd::EventEnd::line;
    if (!o.exec.command.empty() && !o.format) return cmd::EventEnd::none;
    switch (format) {
    case cmd::Format::raw: return cmd::EventEnd::none;
    case cmd::Format::json: return cmd::EventEnd::object;
    case cmd::Format::sse: return cmd::EventEnd::block;
    case cmd::Format::pretty:
    case cmd::Format::data: break;
    }
    return cmd::EventEnd::line;
}

void repair_output(const cmd::TailOptions& o, cmd::Format format) {
    switch (cmd::repair_unfinished_output(STDOUT_FILENO, event_end(o, format), !o.state.empty())) {
    case cmd::Repair::removed:
        return cmd::note("removed an incomplete event from the end of the output file");
    case cmd::Repair::ended:
        return cmd::note("ended an incomplete line at the end of the output file");
    case cmd::Repair::nothing: return;
    }
}

int run(const cmd::TailOptions& o) {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const auto format = o.format.value_or(terminal ? cmd::Format::pretty : cmd::Format::data);
    auto streams = cmd::streams_of(o, format);
    const auto printer = cmd::printer_of(o, format, terminal);

    sse::Interrupt interrupt;
    const cmd::Signals signals(interrupt);
    if (o.max_time) interrupt.expire_at(sse::Interrupt::Clock::now() + *o.max_time);
    if (o.idle_timeout) interrupt.expire_when_idle(*o.idle_timeout);
    cmd::Output output(STDOUT_FILENO,
                       {[&](int fd) { return interrupt.wait_for_output(fd, POLLOUT); },
                        [&] { interrupt.raise(Reason::reader_gone); }});
    if (output.may_block()) interrupt.watch_reader(STDOUT_FILENO);
    cmd::FollowContext context(o.follow, *printer, output);
    context.stderr_is_terminal = ::isatty(STDERR_FILENO) == 1;
    if (!o.record.path.empty()) {
        auto record = o.record;
        record.writer.wait = [&](int fd) { return interrupt.wait_for_output(fd, POLLOUT); };
        context.recorder =
            std::make_unique<cmd::Recorder>(std::move(record), streams.front().client.request);
    }
    if (!o.state.empty()) {
        context.delivered = std::make_unique<cmd::DeliveredIds>(
            cmd::LastIdFile(o.state), [&] { interrupt.raise(Reason::failed); });
    }
    context.notes_errors = !o.pointers.empty();
    const bool live = wants_status_line();
    std::optional<cmd::StatsOutput> stats_output;
    if (o.stats || !o.stats_file.empty() || live) {
        context.stats = std::make_unique<cmd::Stats>();
        stats_output.emplace(*context.stats, cmd::StatsOutputOptions{o.stats, o.stats_file, live});
    }
    const auto on_ended = [&](std::uint64_t commands) {
        if (context.delivered) context.delivered->on_ended(commands);
    };
    if (!o.exec.command.empty())
        context.executor = std::make_unique<cmd::Executor>(o.exec, interrupt, on_ended);

    const bool marked = streams.size() > 1 || !o.named.empty();
    context.has_several = streams.size() > 1;
    std::vector<std::unique_ptr<Followed>> all;
    for (auto& stream : streams) {
        if (context.delivered && stream.client.last_event_id.empty()) {
            stream.client.last_event_id =
                context.delivered->last_event_id(stream.client.request.url.text());
        }
        all.push_back(std::make_unique<Followed>(std::move(stream), context, marked, interrupt));
    }
    repair_output(o, format);
    follow(all, interrupt);
    if (context.executor) context.executor->finish();
    if (context.executor && context.delivered) context.delivered->on_written(output.written());
    printer->finish(output.text());
    if (o.join && terminal && context.printed > 0) output.text().push_back('\n');
    const bool printed = output.flush();
    const bool delivered = (!context.recorder || context.recorder->finish()) && printed;
    if (stats_output) stats_output->finish();
    if (!o.pointers.empty() && context.printed == 0 && context.selected > 0) {
        cmd::note(
            fmt::format("--pointer found no value in any of {} events; use -o data to see them",
                        context.selected));
    }
    if (context.executor && !context.executor->failure().empty()) {
        throw cmd::Failure(cmd::Exit::incomplete, context.executor->failure(),
                           "use --exec-fail warn to continue after a failure");
    }
    std::exception_ptr failure;
    for (const auto& followed : all) {
        if (followed->has_local_failure() && !(o.record.path == "-" && cmd::reader_has_gone()))
            std::rethrow_exception(followed->failure());
        if (followed->failure() && !failure) failure = followed->failure();
    }
    if (!delivered && signals.caught() != 0) return 128 + signals.caught();
    return conclude(o, context, interrupt, signals, failure);
}

constexpr auto tail_examples =
    "  $ sse tail https://host/events\n"
    "  $ sse tail -o json -n 3 :8080 | jq .data\n"
    "  $ sse tail -e deployed -n 1 -m 1m https://ci.example/events && ./smoke-test\n"
    "  $ sse tail --bearer \"$KEY\" --json @body.json --until-data '[DONE]' \\\n"
    "      --pointer /choices/0/delta/content --join https://api.example/v1/chat\n"
    "  $ sse tail --record run.jsonl https://host/events      record for sse replay\n";

} // namespace

void cmd::add_tail(CLI::App& command, Run& chosen) {
    set_help(command, tail_examples);
    const auto options =
        std::make_shared<TailOptions>(); // CLI11 binds by address: outlive the parse
    add_tail_options(command, *options);
    command.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
