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

/// One stream being followed. Made before any of them runs, so that what cannot be meant is said
/// first.
class Followed {
public:
    Followed(cmd::Stream stream, cmd::Following& following, bool marked, sse::Interrupt& interrupt)
        : follower_(following, marked ? stream.name : "", stream.client.request.url.text(),
                    stream.client.last_event_id)
        , client_(std::move(stream.client), follower_, interrupt)
        , interrupt_(interrupt)
        , marked_(marked) {
        follower_.when_enough([this] {
            client_.stop();
            interrupt_.raise(Reason::satisfied);
        });
    }

    /// To its end; throws nothing. A failure of the command's own (a full disk) ends the others
    /// too.
    void run() {
        try {
            try {
                follower_.on_end(client_.run());
            } catch (const sse::Error& e) {
                failure_ = std::make_exception_ptr(cmd::explained(e, client_));
                if (marked_) cmd::warn(e.what()); // the others go on
            }
            follower_.on_pause();
        } catch (...) {
            failure_ = std::current_exception();
            own_ = true;
            interrupt_.raise(Reason::failed);
        }
    }
    std::exception_ptr failure() const { return failure_; }
    /// It is the command's own: what was to be kept is not, however well the stream ended.
    bool failed_itself() const { return own_; }

private:
    cmd::Follower follower_;
    Client client_;
    sse::Interrupt& interrupt_;
    bool marked_, own_ = false;
    std::exception_ptr failure_;
};

/// All of them, each on a thread but the first, which has this one.
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

/// Whoever reads a pipe may itself write to the terminal, so the line that lives goes with files.
bool wants_live_line() {
    struct stat out {};
    return ::fstat(STDOUT_FILENO, &out) == 0 && (S_ISREG(out.st_mode) || S_ISCHR(out.st_mode)) &&
           ::isatty(STDOUT_FILENO) == 0 && cmd::has_terminal_line();
}

/// The exit status once there is nothing more to follow.
int conclude(const cmd::TailOptions& o, const cmd::Following& following,
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
    if (following.satisfied()) return cmd::Exit::done;
    throw cmd::Failure(
        cmd::Exit::incomplete,
        fmt::format("the stream ended after {} event{}, before the stop condition was met",
                    following.printed, following.printed == 1 ? "" : "s"),
        "check -n, --until and --until-data, which set the condition");
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
    cmd::Following following(o.follow, *printer, output);
    following.on_terminal = ::isatty(STDERR_FILENO) == 1;
    if (!o.record.path.empty()) {
        auto record = o.record;
        record.writer.wait = [&](int fd) { return interrupt.wait_for_output(fd, POLLOUT); };
        following.recorder =
            std::make_unique<cmd::Recorder>(std::move(record), streams.front().client.request);
    }
    if (!o.state.empty()) following.state = std::make_unique<cmd::LastIdFile>(o.state);
    const bool live = wants_live_line();
    std::optional<cmd::StatsOutput> told;
    if (o.stats || !o.stats_file.empty() || live) {
        following.stats = std::make_unique<cmd::Stats>();
        told.emplace(*following.stats, cmd::StatsOutputOptions{o.stats, o.stats_file, live});
    }
    if (!o.exec.command.empty())
        following.executor = std::make_unique<cmd::Executor>(o.exec, interrupt);

    const bool marked = streams.size() > 1 || !o.named.empty();
    std::vector<std::unique_ptr<Followed>> all;
    for (auto& stream : streams) {
        if (following.state && stream.client.last_event_id.empty()) {
            stream.client.last_event_id =
                following.state->last_event_id(stream.client.request.url.text());
        }
        all.push_back(std::make_unique<Followed>(std::move(stream), following, marked, interrupt));
    }
    follow(all, interrupt);
    if (following.executor) following.executor->finish();
    printer->finish(output.text());
    if (o.join && terminal && following.printed > 0) output.text().push_back('\n');
    const bool printed = output.flush();
    const bool delivered = (!following.recorder || following.recorder->finish()) && printed;
    if (told) told->finish();
    if (!o.pointers.empty() && following.printed == 0 && following.selected > 0) {
        cmd::note(
            fmt::format("--pointer found no value in any of {} events; use -o data to see them",
                        following.selected));
    }
    if (following.executor && !following.executor->failure().empty()) {
        throw cmd::Failure(cmd::Exit::incomplete, following.executor->failure(),
                           "use --exec-fail warn to continue after a failure");
    }
    std::exception_ptr failure;
    for (const auto& followed : all) {
        if (followed->failed_itself() && !(o.record.path == "-" && cmd::reader_has_gone()))
            std::rethrow_exception(followed->failure());
        if (followed->failure() && !failure) failure = followed->failure();
    }
    if (!delivered && signals.caught() != 0) return 128 + signals.caught();
    return conclude(o, following, interrupt, signals, failure);
}

constexpr auto tail_examples =
    "  $ sse tail https://host/events\n"
    "  $ sse tail -o json -n 3 :8080 | jq .data\n"
    "  $ sse tail -e deployed -n 1 -m 1m https://ci.example/events && ./smoke-test\n"
    "  $ sse tail --bearer \"$KEY\" --json @body.json --until-data '[DONE]' \\\n"
    "      --pointer /choices/0/delta/content --join https://api.example/v1/chat\n"
    "  $ sse tail --record run.jsonl https://host/events      record for sse replay\n";

} // namespace

void cmd::add_tail(CLI::App& app, Run& chosen) {
    auto& sub = *app.add_subcommand("tail", "Follow streams and print their events");
    set_help(sub, tail_examples);
    const auto options = std::make_shared<TailOptions>();
    add_tail_options(sub, *options);
    sub.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
