// sse bench: load a server with subscribers, and measure the deliveries to them.
#include "base/error.hpp"
#include "cmd/bench/amounts.hpp"
#include "cmd/bench/bench_options.hpp"
#include "cmd/bench/event_time.hpp"
#include "cmd/bench/html_report.hpp"
#include "cmd/bench/report_file.hpp"
#include "cmd/bench/reports.hpp"
#include "cmd/bench/server_watch.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/json_values.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/cli/signals.hpp"
#include "cmd/term/terminal_line.hpp"
#include "load/histogram_log.hpp"
#include "load/load_run.hpp"
#include "load/load_workers.hpp"
#include "net/socket.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <re2/re2.h>
#include <unistd.h>

namespace {

/// More subscribers than this of a server on another machine need --yes.
constexpr std::size_t many_subscribers = 1'000;
/// Descriptors besides those of the subscribers: standard streams, files, connections that publish.
constexpr std::size_t other_descriptors = 100;
/// Above this share of a core, or this lateness of reading, a warning is printed.
constexpr double busy_cpu = 0.9;
constexpr auto long_behind = std::chrono::milliseconds(100);
constexpr auto shortest_interval = std::chrono::milliseconds(10);

std::atomic<bool> was_continued{false}; ///< since the last call of was_stopped: SIGCONT

void notice_stops() {
    struct sigaction action {};
    action.sa_handler = [](int) { was_continued = true; };
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGCONT, &action, nullptr);
}

using Time = std::optional<std::chrono::nanoseconds>;

std::vector<sse::ClientRequest> requests_of(const cmd::BenchOptions& o, sse::LoadOptions& load) {
    std::vector<sse::ClientRequest> requests;
    for (const auto& url : o.urls) {
        sse::ClientOptions client;
        apply(o.request, o.connection, url, client);
        requests.push_back(client.request);
        load.dial = client.dial;
        load.tls = client.tls;
    }
    return requests;
}

std::unique_ptr<sse::LoadPublisher> publisher_of(const cmd::BenchOptions& o) {
    if (o.publish_url.empty()) return nullptr;
    cmd::RequestFlags flags;
    flags.headers = o.publish_headers;
    complete(flags);
    sse::ClientOptions client;
    apply(flags, o.connection, o.publish_url, client);
    auto options = o.publisher;
    options.poster.request = client.request;
    options.poster.request.erase("Cache-Control");
    options.poster.request.set("Accept", "*/*");
    options.poster.dial = client.dial;
    options.poster.tls = client.tls;
    return std::make_unique<sse::LoadPublisher>(std::move(options));
}

std::function<Time(std::string_view)> regex_time(const std::string& expression) {
    const auto regex = std::make_shared<re2::RE2>(expression, re2::RE2::Quiet);
    const auto refuse = [](const std::string& why) {
        throw cmd::Failure(cmd::Exit::usage, fmt::format("--time-regex: {}", why),
                           "use the form --time-regex 'sent=([0-9.]+)'");
    };
    if (!regex->ok()) refuse(regex->error());
    if (regex->NumberOfCapturingGroups() < 1) refuse("the expression has no group in parentheses");
    return [regex](std::string_view data) -> Time {
        std::string text;
        if (!re2::RE2::PartialMatch(re2::StringPiece(data.data(), data.size()), *regex, &text))
            return std::nullopt;
        return cmd::parse_event_time(text);
    };
}

void set_measures(const cmd::BenchOptions& o, const sse::LoadPublisher* publisher,
                  sse::LoadOptions& load) {
    const auto values = std::make_shared<cmd::JsonValues>();
    if (publisher != nullptr) {
        load.sent_at = [publisher](std::string_view data) { return publisher->sent_at(data); };
    } else if (!o.time_pointer.empty()) {
        cmd::check_pointer(o.time_pointer);
        load.sent_at = [values, pointer = o.time_pointer](std::string_view data) -> Time {
            const auto text = values->find(data, pointer);
            return text ? cmd::parse_event_time(*text) : std::nullopt;
        };
    } else if (!o.time_regex.empty()) {
        load.sent_at = regex_time(o.time_regex);
    }
    if (o.sequence.empty()) return;
    cmd::check_pointer(o.sequence);
    load.key_of = [values, pointer = o.sequence](std::string_view data) {
        return values->find(data, pointer);
    };
}

void refuse_strangers(const cmd::BenchOptions& o, const std::string& foreign) {
    if (o.yes || o.load.subscribers <= many_subscribers || foreign.empty()) return;
    throw cmd::Failure(cmd::Exit::usage,
                       fmt::format("{} is not an address of this machine, and {} subscribers may "
                                   "disturb its other clients",
                                   foreign, cmd::with_commas(o.load.subscribers)),
                       "use --yes if you may load that server");
}

/// What needs fewer descriptors than `limit` in each process.
std::string alternative(const cmd::BenchOptions& o, std::size_t limit) {
    if (limit <= other_descriptors) return "-c 1";
    const auto most = limit - other_descriptors;
    const auto processes = (o.load.subscribers + most - 1) / most;
    if (processes > cmd::BenchOptions::most_processes) return fmt::format("-c {}", most);
    return fmt::format("--processes {}", processes);
}

/// Of each process.
void need_descriptors(const cmd::BenchOptions& o) {
    const auto subscribers = (o.load.subscribers + o.processes - 1) / o.processes;
    const auto limit = sse::raise_descriptor_limit();
    if (limit >= subscribers + other_descriptors) return;
    throw cmd::Failure(cmd::Exit::usage,
                       fmt::format("{} subscribers need one descriptor each, but the limit is {}",
                                   cmd::with_commas(subscribers), cmd::with_commas(limit)),
                       fmt::format("raise the limit as root with ulimit -n {}, or use {}",
                                   subscribers + other_descriptors, alternative(o, limit)));
}

std::string progress_text(const sse::LoadProgress& progress, std::size_t subscribers) {
    const auto failed = progress.failed.get();
    return fmt::format("{}: {} of {} open{}, {} events, {} deliveries",
                       progress.measuring.get() != 0          ? "measuring"
                       : progress.started.get() < subscribers ? "connecting"
                                                              : "warming up",
                       cmd::with_commas(progress.open.get()), cmd::with_commas(subscribers),
                       failed == 0 ? "" : fmt::format(", {} failed", cmd::with_commas(failed)),
                       cmd::with_commas(progress.events.get()),
                       cmd::with_commas(progress.deliveries.get()));
}

/// Prints warnings about what makes the figures less meaningful.
void warn_about(const cmd::BenchRun& run) {
    const auto& load = run.load;
    if (load.client.busiest > busy_cpu) {
        cmd::warn(fmt::format(
            "sse bench used {:.0f} % of a core, so it may have delayed the deliveries itself",
            load.client.busiest * 100));
    }
    if (load.behind.max() > long_behind) {
        cmd::warn(
            fmt::format("sse bench read data up to {} after it arrived; {} of {} deliveries were "
                        "read together with later ones, so their times are not known",
                        cmd::seconds_text(std::chrono::duration<double>(load.behind.max()).count()),
                        cmd::with_commas(load.untimed), cmd::with_commas(load.deliveries)));
    }
    if (load.opened > 0 && load.seconds == 0)
        cmd::warn("all streams ended before the measurement began; use --warm-up 0 to measure "
                  "short ones");
    if (load.knows_sent && load.delivery.count() == 0 && load.deliveries > load.untimed) {
        cmd::warn(run.published
                      ? "no published event was delivered; check that --publish names the same "
                        "channel as the URL"
                      : "no event contains a time at the place of --time-pointer or --time-regex");
    }
    if (run.published && !run.published->last_failure.empty()) {
        cmd::warn(fmt::format("{} events were not published: {}", run.published->failed,
                              run.published->last_failure));
    }
}

void write_report(const cmd::BenchOptions& o, const cmd::BenchSetup& setup,
                  const cmd::BenchRun& run) {
    cmd::Output output(STDOUT_FILENO);
    switch (o.format) {
    case cmd::BenchFormat::text: output.text() = cmd::text_report(setup, run); break;
    case cmd::BenchFormat::json: output.text() = cmd::json_report(setup, run); break;
    case cmd::BenchFormat::csv: output.text() = cmd::csv_report(run); break;
    }
    output.flush();
}

std::string histogram_log(const cmd::BenchSetup& setup, const sse::LoadResult& load) {
    auto log = sse::histogram_log_head(setup.started);
    const std::pair<const char*, const sse::Histogram*> logged[] = {
        {"connect", &load.connect},   {"head", &load.head}, {"first_event", &load.first_event},
        {"delivery", &load.delivery}, {"skew", &load.skew}, {"storm", &load.storm},
        {"behind", &load.behind},
    };
    for (const auto& [name, histogram] : logged) {
        if (histogram->count() > 0)
            log += sse::histogram_log_line(name, 0, load.seconds, *histogram);
    }
    return log;
}

[[noreturn]] void none_connected(const sse::LoadResult& load) {
    std::string why = "the run was too short";
    std::uint64_t most = 0;
    for (const auto& [reason, count] : load.failures) {
        if (count > most) why = reason, most = count;
    }
    if (load.busy > 0 && most == 0) why = "the server was busy";
    throw cmd::Failure(
        cmd::Exit::cannot_connect,
        fmt::format("none of {} subscribers received an event stream: {}", load.subscribers, why),
        "try the URL with sse tail -v");
}

void check_bars(const std::vector<cmd::Bar>& bars, const cmd::BenchRun& run) {
    const auto figures = figures_of(run);
    std::vector<std::string> broken;
    for (const auto& bar : bars) {
        if (!holds(bar, figures))
            broken.push_back(fmt::format("{} does not hold: {}", bar.text, told(bar, figures)));
    }
    if (broken.empty()) return;
    throw cmd::Failure(cmd::Exit::incomplete, fmt::format("{}", fmt::join(broken, "; ")),
                       "use -o json to see all figures");
}

/// Runs `body` with a line of progress, if there is a terminal.
template <class Body>
void with_progress(const sse::LoadProgress& progress, std::size_t subscribers, Body body) {
    std::unique_ptr<cmd::TerminalLine> line;
    if (cmd::has_terminal_line()) {
        line = std::make_unique<cmd::TerminalLine>(
            [&] { return progress_text(progress, subscribers); });
    }
    body();
}

sse::LoadResult run_load(const cmd::BenchOptions& o, sse::Interrupt& interrupt) {
    const auto& load = o.load;
    if (o.processes == 1) {
        sse::LoadRun run(load, interrupt);
        run.resolve();
        with_progress(run.progress(), load.subscribers, [&] { run.run(); });
        return run.result();
    }
    sse::LoadWorkers workers(load, o.processes);
    try {
        with_progress(workers.progress(), load.subscribers, [&] { workers.run(interrupt); });
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::Exit::io_error, e.what(),
                           "use fewer subscribers with -c if memory was short");
    }
    return workers.result();
}

int run(cmd::BenchOptions o) {
    complete(o.request);
    auto& load = o.load;
    load.requests = requests_of(o, load);
    if (o.ramp) {
        const auto seconds = std::max(std::chrono::duration<double>(*o.ramp).count(), 1e-6);
        load.connect_rate = static_cast<double>(load.subscribers) / seconds;
    }
    const auto publisher = publisher_of(o);
    set_measures(o, publisher.get(), load);
    if (load.stalled + load.slow >= load.subscribers) {
        throw cmd::Failure(cmd::Exit::usage, "all subscribers are slow or stalled",
                           "use more subscribers with -c, or lower --slow and --stalled");
    }
    cmd::ReportFile html(o.html_file), histograms(o.histogram_file);
    cmd::ServerWatch server(o.pid);
    load.on_measuring = [&] { server.on_measuring(); };
    load.on_measured = [&] {
        server.on_measured();
        if (publisher) publisher->stop();
    };
    if (o.interval) {
        load.interval = std::max<std::chrono::nanoseconds>(*o.interval, shortest_interval);
        load.on_interval = [](const sse::LoadInterval& interval, const sse::Histogram&) {
            cmd::write_above(cmd::interval_line(interval) + "\n");
        };
    }
    load.last_deliveries = {};
    if (publisher) {
        load.on_all_started = [&] { publisher->start(); };
        load.last_deliveries = sse::LoadOptions().last_deliveries;
    } else if (load.events) {
        load.last_deliveries = sse::LoadOptions().last_deliveries;
    }
    need_descriptors(o);

    notice_stops();
    load.was_stopped = [] { return was_continued.exchange(false); };
    sse::Interrupt interrupt;
    const cmd::Signals signals(interrupt);
    try {
        sse::LoadTargets targets(load);
        targets.resolve(interrupt);
        refuse_strangers(o, targets.foreign_address());
    } catch (const sse::Interrupted&) {
        return 128 + signals.caught();
    }
    cmd::BenchSetup setup{
        {}, std::chrono::system_clock::now(), std::chrono::duration<double>(load.warm_up).count()};
    for (const auto& request : load.requests) setup.urls.push_back(request.url.shown());
    const auto result = run_load(o, interrupt);
    cmd::BenchRun found{result, server.usage(result), std::nullopt};
    if (publisher) found.published = publisher->finish();
    write_report(o, setup, found);
    if (!o.html_file.empty()) html.write(cmd::html_report(setup, found));
    histograms.write(histogram_log(setup, found.load));
    warn_about(found);
    if (signals.caught() != 0) return 128 + signals.caught();
    if (found.load.opened == 0) none_connected(found.load);
    check_bars(o.bars, found);
    return cmd::Exit::done;
}

constexpr auto bench_examples =
    "  $ sse bench :8080                                100 subscribers for 30 s\n  $ sse bench -c "
    "20000 --ramp 20s --publish :8080 :8080\n                                                   "
    "with 20,000 subscribers\n"
    "  $ sse bench --time-pointer /ts https://host/sse  measure from times in data\n"
    "  $ sse bench --html report.html --storm 10s :8080 plot a reconnect storm\n"
    "  $ sse bench -o json :8080 | jq .delivery.p99\n"
    "  $ sse bench --fail 'p99<250ms' --fail lost=0 :8080 && echo good\n";

} // namespace

void cmd::add_bench(CLI::App& command, Run& chosen) {
    set_help(command, bench_examples);
    const auto options = std::make_shared<BenchOptions>();
    add_bench_options(command, *options);
    command.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
