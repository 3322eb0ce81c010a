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
    auto* rate = add_number<double>(app, "--connect-rate", o.load.connect_rate, 0.001,
                                    "Start N connections a second, whatever the server does", 1e6)
                     ->group(group);
    with_example(add_duration(app, "--ramp", o.ramp,
                              "Start all connections within this time, instead of --connect-rate"),
                 "10s")
        ->group(group)
        ->excludes(rate);
    add_duration(app, "-t,--time", o.load.time, "Measure for this long")->group(group);
    add_duration(app, "--warm-up", o.load.warm_up,
                 "Wait this long between the last connection and the measurement")
        ->group(group);
    with_example(add_number<std::uint64_t>(app, "-n,--events", o.load.events, 1,
                                           "End the measurement after N events"),
                 "1000")
        ->group(group);
    with_example(add_texts(app, "--source", o.load.sources, "ADDRESS",
                           "Connect from this IP address; repeatable, then in turn (default: the "
                           "system's choice; for more than 10,000 subscribers on loopback, "
                           "127.0.0.2 and up)"),
                 "127.0.0.2")
        ->group(group);
    app.add_flag("--yes", o.yes,
                 "Allow more than 1,000 subscribers of a server that is not on this machine")
        ->group(group);
}

const std::map<std::string, sse::LoadResume> resume_names = {
    {"no", sse::LoadResume::no}, {"stale", sse::LoadResume::stale}, {"yes", sse::LoadResume::yes}};

void add_behaviour_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Behaviour of subscribers";
    with_example(add_number<double>(app, "--leave", o.load.leave_rate, 0.0,
                                    "N subscribers a second leave and come back at once", 1e6),
                 "10")
        ->group(group);
    with_example(add_duration(app, "--storm", o.load.storm,
                              "Cut the streams after this time of the measurement, and open them "
                              "again all at once"),
                 "10s")
        ->group(group);
    add_number<double>(app, "--storm-share", o.load.storm_share, 0.0,
                       "Share of the streams that --storm cuts", 1.0)
        ->group(group)
        ->needs("--storm");
    add_choice(app, "--resume", o.load.resume, resume_names,
               "Last-Event-ID of subscribers that come back: that of their last event, none, or "
               "one that no server knows")
        ->group(group);
    with_example(add_number<std::size_t>(app, "--stalled", o.load.stalled, 0,
                                         "N of the subscribers read nothing of their streams"),
                 "10")
        ->group(group);
    with_example(
        add_number<std::size_t>(app, "--slow", o.load.slow, 0, "N of the subscribers read slowly"),
        "10")
        ->group(group);
    add_size(app, "--slow-bytes", o.load.slow_bytes, 1, std::size_t{1} << 30,
             "Bytes that a slow subscriber reads each second")
        ->group(group)
        ->needs("--slow");
}

void add_publishing_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Publish";
    auto* publish = with_example(add_text(app, "--publish", o.publish_url, "URL",
                                          "Publish events by POST to this URL, and measure from "
                                          "when each was due to its deliveries"),
                                 "http://localhost:8080/")
                        ->group(group);
    add_number<double>(app, "--rate", o.publisher.rate, 0.001, "Publish N events a second", 1e6)
        ->group(group)
        ->needs(publish);
    add_size(app, "--size", o.publisher.size, 1, sse::most_event_bytes,
             "Size of the data of a published event; at least about 90 bytes are sent")
        ->group(group)
        ->needs(publish);
    with_example(add_texts(app, "--publish-header", o.publish_headers, "HEADER",
                           "Send this header with each POST, as -H does; repeatable"),
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
                          "The same for the first group of this regular expression in the data"),
                 "'sent=([0-9.]+)'")
        ->group(group)
        ->excludes("--publish")
        ->excludes(pointer);
    with_example(add_text(app, "--seq", o.sequence, "/A/0/B",
                          "Tell events apart by the value at this JSON pointer in the data, "
                          "instead of by ID"),
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
        "Exit with status 1 unless this holds: a figure of the report, <, <=, =, >= or >, and a "
        "limit; repeatable");
    with_example(fail->type_name("EXPRESSION"), "'p99<250ms'")->group(group);
}

void add_file_options(CLI::App& app, BenchOptions& o) {
    const auto group = "Report";
    with_example(add_text(app, "--html", o.html_file, "FILE",
                          "Write the report with plots to this file, as a page that needs no "
                          "network"),
                 "report.html")
        ->group(group);
    with_example(add_text(app, "--histogram", o.histogram_file, "FILE",
                          "Write the histograms of the times to this file, in the log format of "
                          "HdrHistogram"),
                 "times.hlog")
        ->group(group);
    with_example(add_duration(app, "--interval", o.interval,
                              "Print a line on stderr for each interval of this length"),
                 "1s")
        ->group(group);
    with_example(add_number<int>(app, "--pid", o.pid, 1,
                                 "Also report what the process with this number, the server, "
                                 "uses"),
                 "4711")
        ->group(group);
}

/// Options of all clients that the subscribers, which connect directly and decode nothing, lack.
void remove_options(CLI::App& app) {
    for (const char* name : {"--proxy", "--noproxy", "--compressed"})
        app.remove_option(app.get_option(name));
}

} // namespace

void add_bench_options(CLI::App& app, BenchOptions& o) {
    app.add_option("URL", o.urls,
                   "Stream to open (http or https), as for sse tail; with several, the "
                   "subscribers take turns; {n} is replaced by the number of the subscriber")
        ->required();
    add_load_options(app, o);
    add_behaviour_options(app, o);
    add_publishing_options(app, o);
    add_measuring_options(app, o);
    add_report_options(app, o);
    add_file_options(app, o);
    add_request_flags(app, o.request);
    add_connection_flags(app, o.connection);
    remove_options(app);
}

} // namespace cmd
