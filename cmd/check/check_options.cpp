#include "cmd/check/check_options.hpp"

#include "base/error.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/colour_option.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/text_option.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace cmd {

namespace {

using sse::checks::Severity;

const std::map<std::string, CheckFormat> check_format_names = {{"text", CheckFormat::text},
                                                               {"json", CheckFormat::json},
                                                               {"junit", CheckFormat::junit},
                                                               {"github", CheckFormat::github}};
const std::map<std::string, Severity> severity_names = {
    {"error", Severity::error}, {"warn", Severity::warning}, {"note", Severity::note}};

void add_watch_options(CLI::App& app, CheckOptions& o) {
    const auto group = "Watch";
    add_duration(app, "-t,--time", o.time,
                 "Watch the stream for at most this long; stop earlier once everything is decided "
                 "(default 12s; with --long, 130s or its value)")
        ->group(group);
    const auto watch_long = [&o](const std::string& duration) {
        o.long_watch = true;
        if (duration.empty()) return;
        try {
            o.long_time = std::chrono::ceil<std::chrono::milliseconds>(parse_duration(duration));
        } catch (const sse::Error& e) {
            throw CLI::ValidationError("--long", e.what());
        }
    };
    with_example(app.add_option_function<std::string>(
                     "--long", watch_long,
                     "Watch for the whole time, 130s or --long=DURATION, to see idle timeouts "
                     "and keepalive comments"),
                 "130s")
        ->expected(0, 1)
        ->allow_extra_args(false)
        ->type_name("DURATION")
        ->group(group);
    app.add_flag("--single", o.single,
                 "Make only one request; implied by data or a method other than GET")
        ->group(group);
    add_number<unsigned>(app, "--max-connections", o.max_connections, 1,
                         "Open at most N connections at once", 16)
        ->group(group);
    with_example(add_text(app, "--direct", o.direct, "URL",
                          "Also watch the stream of the origin server at this URL, and compare "
                          "when events arrive"),
                 "http://127.0.0.1:3000/events")
        ->group(group);
    auto* trigger =
        with_example(
            add_text(app, "--trigger", o.trigger, "COMMAND",
                     "Run this shell command twice, and measure the delay of the events; it must "
                     "make the server send an event that contains the text with which %s is "
                     "replaced"),
            "'redis-cli publish news %s'")
            ->group(group);
    with_example(
        add_text(app, "--publish", o.publish, "URL",
                 "Publish two events, each with a POST to this URL, and measure their delay"),
        "http://127.0.0.1:8080/")
        ->excludes(trigger)
        ->group(group);
}

void add_page_options(CLI::App& app, CheckOptions& o) {
    const auto group = "Pages";
    auto* origin = with_example(add_text(app, "--origin", o.origin, "URL",
                                         "Check that pages of this origin may read the stream"),
                                "https://app.example")
                       ->group(group);
    app.add_flag("--credentials", o.credentials,
                 "Check that pages may read the stream with cookies (withCredentials)")
        ->needs(origin)
        ->group(group);
}

void add_report_options(CLI::App& app, CheckOptions& o) {
    const auto group = "Report";
    add_choice(app, "-o,--output", o.format, check_format_names, "Format of the report")
        ->group(group);
    add_colour_option(app, o.colour)->group(group);
    with_example(add_texts(app, "--fix", o.fix, "NAME",
                           "Show the remedies for this server, even if the response names another "
                           "one; repeatable"),
                 "nginx")
        ->group(group);
    with_example(add_text(app, "--explain", o.explain, "ID",
                          "Explain this check instead of checking a URL; all explains all checks"),
                 "held-back")
        ->group(group);
    with_example(
        add_texts(app, "--require", o.require, "ID,...",
                  "Exit with status 1 if one of these checks has a finding of any severity, or "
                  "cannot be decided; resume stands for all resume- checks; repeatable"),
        "resume")
        ->group(group);
    with_example(
        add_texts(app, "--ignore", o.ignore, "ID,...", "Leave out these checks; repeatable"),
        "no-ids,retry")
        ->group(group);
    with_example(add_texts(app, "--severity", o.severity, "ID=LEVEL",
                           "Report the findings of this check as error, warn or note; repeatable"),
                 "no-ids=note")
        ->group(group);
    add_choice(app, "--fail-on", o.fail_on, severity_names,
               "Exit with status 1 if there is a finding of this severity or a higher one")
        ->group(group);
}

} // namespace

void add_check_options(CLI::App& app, CheckOptions& o) {
    app.add_option("URL", o.url,
                   "Stream to check (http or https); the default scheme is http, and :8080 is port "
                   "8080 of this machine");
    add_watch_options(app, o);
    add_page_options(app, o);
    add_report_options(app, o);
    add_request_flags(app, o.request);
    add_connection_flags(app, o.connection);
}

} // namespace cmd
