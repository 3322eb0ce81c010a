#include "cmd/tail/tail_options.hpp"

#include "cmd/cli/choice.hpp"
#include "cmd/cli/colour_option.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/text_option.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <map>

namespace cmd {

namespace {

const std::map<std::string, Format> format_names = {{"pretty", Format::pretty},
                                                    {"data", Format::data},
                                                    {"json", Format::json},
                                                    {"sse", Format::sse},
                                                    {"raw", Format::raw}};

const std::map<std::string, Times> times_names = {{"abs", Times::absolute},
                                                  {"rel", Times::relative},
                                                  {"delta", Times::delta},
                                                  {"none", Times::none}};

void add_output_options(CLI::App& app, TailOptions& o) {
    const auto group = "Output";
    add_choice(app, "-o,--output", o.format, format_names,
               "Output format (default pretty on a terminal, otherwise data)")
        ->group(group);
    add_colour_option(app, o.colour)->group(group);
    add_choice(app, "--time", o.times, times_names,
               "Time in pretty output: time of day (abs), since the start (rel), since the "
               "previous event (delta), or none")
        ->group(group);
    add_duration(app, "--gap-warn", o.gap_warn,
                 "Mark gaps between events that are longer than this in pretty output")
        ->group(group);
    app.add_flag("--no-fold", o.no_fold,
                 "Do not fold the lines of pretty output at the terminal's width")
        ->group(group);
    with_example(add_text(app, "-F,--format", o.format_text, "TEXT",
                          "Print each event in this format: {time} {t} {gap} {source} {event} {id} "
                          "{data} {/pointer} \\n \\t",
                          Empty::taken),
                 "'{id} {data}'")
        ->group(group);
    with_example(add_texts(app, "--pointer", o.pointers, "/A/0/B",
                           "Print the value at this JSON pointer in the data; repeatable",
                           Empty::taken),
                 "/choices/0/delta/content")
        ->group(group);
    with_example(add_text(app, "--pointer-default", o.missing, "TEXT",
                          "Print this text where a pointer finds no value", Empty::taken),
                 "-")
        ->group(group);
    app.add_flag("--join", o.join, "Print no newline after the values of --pointer and --format")
        ->group(group);
    app.add_flag("-v,--verbose", o.follow.verbose,
                 "Print requests, responses, comments, reconnections and warnings about the stream "
                 "on stderr")
        ->group(group);
    app.add_flag("--stats", o.stats,
                 "Print statistics on stderr at the end and on SIGUSR1: connection times, event "
                 "counts, rates and gaps")
        ->group(group);
    with_example(add_text(app, "--stats-file", o.stats_file, "FILE",
                          "Write the statistics to this file as a JSON object"),
                 "stats.json")
        ->group(group);
    with_example(
        add_text(app, "--state", o.state, "FILE",
                 "Save the last event ID in this file, and resume after it on the next run"),
        "last-id")
        ->group(group);
    auto* record = with_example(add_text(app, "--record", o.record.path, "FILE",
                                         "Record the stream to this file for sse replay; - records "
                                         "to stdout instead of printing events"),
                                "run.jsonl")
                       ->group(group);
    app.add_flag("--bytes", o.record.bytes,
                 "Record the bytes of each read instead of the parsed events, to replay a "
                 "malformed stream exactly")
        ->needs(record)
        ->group(group);
    app.add_flag("--record-body", o.record.body, "Include the body of the request in the recording")
        ->needs(record)
        ->group(group);
    app.add_flag_callback(
           "--no-mask", [&o] { o.record.writer.mask = false; },
           "Record credentials instead of masking them")
        ->needs(record)
        ->group(group);
}

void add_selection_options(CLI::App& app, TailOptions& o) {
    const auto select = "Select and stop";
    with_example(
        add_texts(
            app, "-e,--event", o.follow.select.types, "TYPE",
            "Select events of this type; * and ? are wildcards, !TYPE excludes a type; repeatable"),
        "update")
        ->group(select);
    with_example(add_texts(app, "--grep", o.follow.select.grep, "RE",
                           "Select events whose data matches this regular expression; repeatable"),
                 "error")
        ->group(select);
    app.add_flag("--invert", o.follow.select.invert,
                 "Select events whose data matches no --grep expression")
        ->group(select);
    with_example(
        add_number<std::size_t>(app, "-n,--count", o.follow.count, 1, "Stop after N events"), "10")
        ->group(select);
    with_example(add_texts(app, "--until", o.follow.until, "TYPE",
                           "Stop after an event of this type; repeatable"),
                 "done")
        ->group(select);
    with_example(add_texts(app, "--until-data", o.follow.until_data, "TEXT",
                           "Stop after an event with exactly this data, such as [DONE]; repeatable",
                           Empty::taken),
                 "'[DONE]'")
        ->group(select);
    add_limit(app, "-m,--max-time", o.max_time, "Stop after this time, with exit status 28")
        ->group(select);
    add_limit(app, "--idle-timeout", o.idle_timeout,
              "Stop when no data arrives for this long, with exit status 28")
        ->group(select);
}

void add_connection_options(CLI::App& app, TailOptions& o) {
    const auto group = "Connection";
    app.add_flag("--no-reconnect", o.no_reconnect, "Exit when the stream ends or breaks")
        ->group(group);
    app.add_flag("--reconnect", o.reconnect,
                 "Also reconnect after a POST, and while the server refuses connections")
        ->group(group);
    app.add_flag("--resume-get", o.client.resume_with_get,
                 "After a POST, resume with a GET and the last event ID, as MCP servers expect")
        ->group(group);
    app.add_flag("--retry-connect", o.client.retry_connect,
                 "Also retry if the first connection fails")
        ->group(group);
    with_example(add_number<unsigned>(app, "--retries", o.client.retries, 0,
                                      "Give up after N failed attempts in a row (default: never)"),
                 "5")
        ->group(group);
    add_duration(
        app, "--retry", o.client.backoff.reconnection_time,
        "Wait this long before reconnecting, at least 100ms, until the server sends another time")
        ->group(group);
    add_duration(app, "--retry-max", o.client.backoff.retry_max,
                 "Longest wait between two attempts that fail")
        ->group(group);
    with_example(add_text(app, "--last-event-id", o.client.last_event_id, "ID",
                          "Resume after the event with this ID", Empty::taken),
                 "42")
        ->group(group);
    add_limit(app, "--read-timeout", o.client.response.read_timeout,
              "Reconnect when the server sends nothing for this long")
        ->group(group);
    add_max_event_bytes(app, o.client.parser.max_event_bytes, "Maximum size of one event")
        ->group(group);
    app.add_flag("--ndjson", o.client.json_lines,
                 "Read the response as JSON lines, whatever its Content-Type")
        ->group(group);
    app.add_flag("--any", o.client.any_response,
                 "Read the response as an event stream, whatever its status and Content-Type; a "
                 "JSON response becomes one event")
        ->group(group);
    app.add_flag_callback(
           "--no-cookies", [&o] { o.client.cookies.enabled = false; },
           "Ignore the cookies that the server sets")
        ->group(group);
}

const std::map<std::string, bool> exec_fail_names = {{"stop", true}, {"warn", false}};

void add_exec_options(CLI::App& app, TailOptions& o) {
    const auto group = "Run commands";
    with_example(
        add_text(app, "--exec", o.exec.command, "COMMAND",
                 "Run this shell command for each event instead of printing the event, with the "
                 "data on stdin and SSE_EVENT, SSE_ID and SSE_DATA in the environment"),
        "'wc -c'")
        ->group(group);
    add_number<std::size_t>(app, "--jobs", o.exec.jobs, 1,
                            "Run up to N commands at once; 1 keeps the order of events")
        ->default_str(fmt::format("{}", o.exec.jobs))
        ->group(group);
    add_choice(app, "--exec-fail", o.exec.stop, exec_fail_names,
               "When a command fails: warn and continue, or stop with status 1")
        ->group(group);
}

} // namespace

void add_tail_options(CLI::App& app, TailOptions& o) {
    app.add_option("URL", o.urls,
                   "Stream to read (http or https); the default scheme is http, and :8080 is port "
                   "8080 of this machine");
    with_example(add_texts(app, "--name", o.named, "NAME=URL",
                           "Also read this URL, and label its lines with NAME; repeatable"),
                 "staging=https://example.org/events");
    add_output_options(app, o);
    add_selection_options(app, o);
    add_request_flags(app, o.request);
    add_connection_options(app, o);
    add_connection_flags(app, o.connection);
    add_exec_options(app, o);
}

} // namespace cmd
