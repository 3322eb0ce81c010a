#include "cmd/bench/bench_options.hpp"

#include "base/error.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/text_option.hpp"
#include "protocol/event.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace cmd {

namespace {

const std::map<std::string, BenchFormat> bench_formats = {
    {"csv", BenchFormat::csv}, {"json", BenchFormat::json}, {"text", BenchFormat::text}};

void add_load_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Load";
    add_number<std::size_t>(app, "-c,--subscribers", o.load.subscribers, 1,
                            "Number of subscribers, each with a connection of its own", 1'000'000)
        ->group(group);
    auto* rate =
        add_number<double>(
            app, "--connect-rate", o.load.connect_rate, 0.001,
            "Start N connections per second, even if the server is slow to accept them", 1e6)
            ->group(group);
    with_example(add_duration(app, "--ramp", o.ramp,
                              "Start all connections within this time, instead of --connect-rate"),
                 "10s")
        ->group(group)
        ->excludes(rate);
    add_duration(app, "-t,--time", o.load.time, "Measure for this long")->group(group);
    add_duration(app, "--warm-up", o.load.warm_up,
                 "Wait this long after the start of the last connection before the measurement")
        ->group(group);
    with_example(add_number<std::uint64_t>(
                     app, "-n,--events", o.load.events, 1,
                     "End the measurement after N events (default: only after the time of -t)"),
                 "1000")
        ->group(group);
    with_example(
        add_texts(app, "--source", o.load.sources, "ADDRESS",
                  "Connect from this IP address; if repeated, from each in turn (default: chosen "
                  "by the system; for more than 10,000 subscribers on loopback, 127.0.0.2 and up)"),
        "127.0.0.2")
        ->group(group);
    add_number<std::size_t>(app, "--processes", o.processes, 1,
                            "Divide the subscribers among N processes, each of which can use a "
                            "core and has its own limit on open files",
                            BenchOptions::most_processes)
        ->group(group);
    app.add_flag("--yes", o.yes,
                 "Allow more than 1,000 subscribers if the server is not on this machine")
        ->group(group);
}

const std::map<std::string, sse::LoadResume> resume_names = {
    {"no", sse::LoadResume::no}, {"stale", sse::LoadResume::stale}, {"yes", sse::LoadResume::yes}};

void add_behaviour_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Behaviour of subscribers";
    with_example(add_number<double>(
                     app, "--leave", o.load.leave_rate, 0.0,
                     "Disconnect N subscribers per second, and reconnect them at once (default 0)",
                     1e6),
                 "10")
        ->group(group);
    with_example(add_duration(app, "--storm", o.load.storm,
                              "Close the streams once the measurement has run for this long, and "
                              "open all of them again at once"),
                 "10s")
        ->group(group);
    add_number<double>(app, "--storm-share", o.load.storm_share, 0.0,
                       "Share of the streams that --storm closes, from 0 to 1", 1.0)
        ->group(group)
        ->needs("--storm");
    add_choice(app, "--resume", o.load.resume, resume_names,
               "Last-Event-ID of subscribers that reconnect: the ID of their last event (yes), "
               "none (no), or one that no server knows (stale)")
        ->group(group);
    with_example(add_number<std::size_t>(
                     app, "--stalled", o.load.stalled, 0,
                     "Let N of the subscribers read nothing after the response head (default 0)"),
                 "10")
        ->group(group);
    with_example(add_number<std::size_t>(
                     app, "--slow", o.load.slow, 0,
                     "Let N of the subscribers read only --slow-bytes per second (default 0)"),
                 "10")
        ->group(group);
    add_size(app, "--slow-bytes", o.load.slow_bytes, 1, std::size_t{1} << 30,
             "Bytes that a slow subscriber reads per second")
        ->group(group)
        ->needs("--slow");
}

void add_publishing_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Publish";
    auto* publish = with_example(add_text(app, "--publish", o.publish_url, "URL",
                                          "Publish events by POST to this URL, and measure each "
                                          "delivery from the time at which its event was due"),
                                 "http://localhost:8080/")
                        ->group(group);
    add_number<double>(app, "--rate", o.publisher.rate, 0.001, "Publish N events per second", 1e6)
        ->group(group)
        ->needs(publish);
    add_size(app, "--size", o.publisher.size, 1, sse::most_event_bytes,
             "Size of the data of a published event in bytes; at least about 90 are sent")
        ->group(group)
        ->needs(publish);
    with_example(add_texts(app, "--publish-header", o.publish_headers, "HEADER",
                           "Send this header with each POST; written as for -H; repeatable"),
                 "'Authorization: Bearer KEY'")
        ->group(group)
        ->needs(publish);
}

void add_measuring_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Measure";
    auto* pointer =
        with_example(add_text(app, "--time-pointer", o.time_pointer, "/A/0/B",
                              "Measure from the time at this JSON pointer in the data: RFC 3339, "
                              "or a number of seconds, ms, us or ns since 1970"),
                     "/ts")
            ->group(group)
            ->excludes("--publish");
    with_example(add_text(app, "--time-regex", o.time_regex, "RE",
                          "Measure from the time that the first group of this regular "
                          "expression (RE2) matches in the data"),
                 "'sent=([0-9.]+)'")
        ->group(group)
        ->excludes("--publish")
        ->excludes(pointer);
    with_example(
        add_text(
            app, "--seq", o.sequence, "/A/0/B",
            "Identify events by the value at this JSON pointer in the data instead of their IDs"),
        "/seq")
        ->group(group);
    add_max_event_bytes(app, o.load.max_event_bytes, "Maximum size of one event")->group(group);
}

void add_report_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Report";
    add_choice(app, "-o,--output", o.format, bench_formats, "Format of the report")->group(group);
    auto* fail = app.add_option_function<std::vector<std::string>>(
        "--fail",
        [&o](const std::vector<std::string>& texts) {
            for (const auto& text : texts) {
                try {
                    o.bars.push_back(parse_bar(text));
                } catch (const sse::Error& e) {
                    throw CLI::ValidationError("--fail", e.what());
                }
            }
        },
        "Exit with status 1 unless this is true: a figure of the report, one of <, <=, =, >= and "
        ">, and a limit; repeatable");
    with_example(fail->type_name("EXPRESSION"), "'p99<250ms'")->group(group);
}

void add_file_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Report";
    with_example(
        add_text(app, "--html", o.html_file, "FILE",
                 "Write the report with plots to this file, as an HTML page that needs no network"),
        "report.html")
        ->group(group);
    with_example(add_text(app, "--histogram", o.histogram_file, "FILE",
                          "Write the histograms of the times to this file, in the log format of "
                          "HdrHistogram"),
                 "times.hlog")
        ->group(group);
    with_example(add_duration(app, "--interval", o.interval,
                              "Print a line on standard error for each interval of this length"),
                 "1s")
        ->group(group);
    with_example(add_number<int>(app, "--pid", o.pid, 1,
                                 "Also report CPU time, memory and file descriptors of the process "
                                 "with this ID, which should be the server (Linux)"),
                 "4711")
        ->group(group);
}

/// Removes options of other clients: subscribers connect directly and do not decompress.
void remove_options(CLI::App& app) {
    for (const char* name : {"--proxy", "--noproxy", "--compressed"})
        app.remove_option(app.get_option(name));
}

} // namespace

void add_bench_options(CLI::App& app, BenchOptions& o) {
    app.add_option("URL", o.urls,
                   "Stream to open (http or https), written as for sse tail; several URLs are "
                   "assigned to the subscribers in turn; {n} is replaced by the number of the "
                   "subscriber")
        ->required();
    add_load_options(app, o);
    add_behaviour_options(app, o);
    add_publishing_options(app, o);
    add_measuring_options(app, o);
    add_report_options(app, o);
    add_file_options(app, o);
    add_request_flags(app, o.request);
    add_connection_flags(app, o.connection);
    app.get_option("--connect-timeout")
        ->description("Time limit for name lookup, and for each connection until its response head "
                      "arrives; 0: no limit");
    remove_options(app);
}

} // namespace cmd
