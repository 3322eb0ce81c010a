#include "cmd/tail/tail_options.hpp"

#include "base/ascii.hpp"
#include "base/mask.hpp"
#include "base/printable.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/text_option.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <map>
#include <sys/ioctl.h>
#include <unistd.h>

namespace cmd {

namespace {

const std::map<std::string, Colour> colour_names = {
    {"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}};
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
    add_choice(app, "--color", o.colour, colour_names,
               "Use colours; auto: on a terminal, unless NO_COLOR is set or TERM is dumb")
        ->group(group);
    add_choice(app, "--time", o.times, times_names,
               "Time shown by pretty: of day, since the start, since the last event, or none")
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
                          "Print this text when a pointer finds no value", Empty::taken),
                 "-")
        ->group(group);
    app.add_flag("--join", o.join, "Print no line end after the values of --pointer and --format")
        ->group(group);
    app.add_flag("-v,--verbose", o.follow.verbose,
                 "Print requests, responses, comments, reconnections and warnings about the stream "
                 "on stderr")
        ->group(group);
    app.add_flag(
           "--stats", o.stats,
           "Print statistics on stderr at the end and on SIGUSR1: times, events, rates and gaps")
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
                                         "to stdout and prints no events"),
                                "run.jsonl")
                       ->group(group);
    app.add_flag("--bytes", o.record.bytes,
                 "Record the bytes of each read instead of the parsed events")
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
                 "Reconnect after a POST, too, and while the server refuses connections")
        ->group(group);
    app.add_flag("--resume-get", o.client.resume_with_get,
                 "After a POST, resume with a GET and the last event ID, as MCP servers expect")
        ->group(group);
    app.add_flag("--retry-connect", o.client.retry_connect,
                 "Retry the first connection, too, if it fails")
        ->group(group);
    with_example(add_number<unsigned>(app, "--retries", o.client.retries, 0,
                                      "Give up after N failed attempts in a row (default never)"),
                 "5")
        ->group(group);
    add_duration(app, "--retry", o.client.backoff.reconnection_time,
                 "Reconnection time until the server sends another, at least 100ms")
        ->group(group);
    add_duration(app, "--retry-max", o.client.backoff.retry_max,
                 "Longest wait between failed attempts")
        ->group(group);
    with_example(add_text(app, "--last-event-id", o.client.last_event_id, "ID",
                          "Resume after the event with this ID", Empty::taken),
                 "42")
        ->group(group);
    add_limit(app, "--connect-timeout", o.client.dial.connect_timeout,
              "Time limit for name lookup, connection and TLS handshake together")
        ->group(group);
    add_limit(app, "--read-timeout", o.client.response.read_timeout,
              "Reconnect when the server sends nothing for this long")
        ->group(group);
    add_max_event_bytes(app, o.client.parser.max_event_bytes, "Maximum size of one event")
        ->group(group);
    app.add_flag("-k,--insecure", o.insecure, "Do not verify the server's certificate")
        ->group(group);
    with_example(add_text(app, "--cacert", o.client.tls.ca_file, "FILE",
                          "Trust the certificates in this file instead of the system's (PEM)"),
                 "ca.pem")
        ->group(group);
    auto* cert = with_example(add_text(app, "--cert", o.client.tls.cert_file, "FILE",
                                       "Client certificate (PEM)"),
                              "client.pem")
                     ->group(group);
    with_example(add_text(app, "--key", o.client.tls.key_file, "FILE",
                          "Private key of --cert, if it is in another file (PEM)"),
                 "key.pem")
        ->needs(cert)
        ->group(group);
    with_example(add_text(app, "--unix-socket", o.client.dial.unix_socket, "PATH",
                          "Connect to this Unix socket instead of the URL's host"),
                 "/run/app.sock")
        ->group(group);
    with_example(add_texts(app, "--resolve", o.resolve, "HOST:PORT:ADDRESS",
                           "Connect to ADDRESS for HOST and PORT; repeatable"),
                 "example.org:443:127.0.0.1")
        ->group(group);
    app.add_flag("--ndjson", o.client.json_lines,
                 "Read the response as JSON lines, whatever its Content-Type")
        ->group(group);
    app.add_flag("--any", o.client.any_response,
                 "Read the response as an event stream, whatever its status and Content-Type; "
                 "JSON is one event")
        ->group(group);
    app.add_flag_callback(
           "--no-cookies", [&o] { o.client.cookies.enabled = false; },
           "Ignore the cookies that the server sets")
        ->group(group);
    auto* v4 = app.add_flag("-4,--ipv4", o.v4, "Use only IPv4 addresses")->group(group);
    app.add_flag("-6,--ipv6", o.v6, "Use only IPv6 addresses")->excludes(v4)->group(group);
}

const std::map<std::string, bool> exec_fail_names = {{"stop", true}, {"warn", false}};

void add_exec_options(CLI::App& app, TailOptions& o) {
    const auto group = "Run commands";
    with_example(add_text(app, "--exec", o.exec.command, "COMMAND",
                          "Run this shell command for each event instead of printing it, with the "
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
                   "Stream to read (http or https); localhost:8080/x and :8080 mean http");
    with_example(add_texts(app, "--name", o.named, "NAME=URL",
                           "Read this URL, too, and label its lines with NAME; repeatable"),
                 "staging=https://example.org/events");
    add_output_options(app, o);
    add_selection_options(app, o);
    add_request_flags(app, o.request);
    add_connection_options(app, o);
    add_exec_options(app, o);
}

namespace {

/// `HOST:PORT:ADDRESS`, the address with or without brackets.
sse::HostAddress read_resolve(const std::string& text) {
    const auto colon = text.find(':'),
               second = colon == text.npos ? text.npos : text.find(':', colon + 1);
    try {
        if (second == text.npos || second + 1 == text.size())
            throw sse::Error(sse::Errc::invalid_argument, "");
        const auto url = sse::Url::parse("http://" + text.substr(0, second));
        auto address = text.substr(second + 1);
        if (address.starts_with('[') && address.ends_with(']'))
            address = address.substr(1, address.size() - 2);
        return {url.host, url.port, address};
    } catch (const sse::Error&) {
        throw Failure(
            Exit::usage,
            fmt::format("--resolve \"{}\" is not HOST:PORT:ADDRESS", sse::printable(text, 100)),
            "use the form --resolve example.org:443:127.0.0.1");
    }
}

/// Refuses an ID of the command line that cannot be sent. For an ID of the server there is a
/// warning.
void check_first_id(const sse::ClientOptions& client) {
    const auto& id = client.last_event_id;
    if (std::any_of(id.begin(), id.end(), sse::is_control))
        throw Failure(Exit::usage,
                      "--last-event-id holds a control character, which a header cannot carry",
                      "use the ID as the server sent it");
    if (id.size() > client.max_sent_id_bytes)
        throw Failure(Exit::usage,
                      fmt::format("--last-event-id has {} bytes; the limit is {}", id.size(),
                                  client.max_sent_id_bytes),
                      "use the ID of another event");
}

/// Refuses options that cannot be used together.
void check_together(const TailOptions& o, Format format) {
    const bool several = o.urls.size() + o.named.size() > 1;
    const auto refuse = [](const char* what, const char* hint) {
        throw Failure(Exit::usage, what, hint);
    };
    if (o.no_reconnect && o.reconnect)
        refuse("--reconnect and --no-reconnect cannot be used together", "use one of them");
    if (o.client.resume_with_get && (o.reconnect || o.no_reconnect))
        refuse("--resume-get cannot be used with --reconnect or --no-reconnect", "use one of them");
    if (format == Format::raw &&
        (!o.follow.select.types.empty() || !o.follow.select.grep.empty())) {
        refuse("-e and --grep cannot be used with -o raw, which prints unparsed bytes",
               "use -o sse to print the selected events");
    }
    if (o.format_text && !o.pointers.empty())
        refuse("--format and --pointer cannot be used together",
               "use a pointer inside the format, such as {/a/0}");
    if (o.format && (o.format_text || !o.pointers.empty()))
        refuse("-o cannot be used with --format or --pointer", "remove -o");
    if ((o.join || o.missing) && !o.format_text && o.pointers.empty()) {
        refuse("--join and --pointer-default need --pointer or --format",
               "add for example --pointer /choices/0/delta/content");
    }
    if (o.request.proxy && !o.request.proxy->empty() && !o.client.dial.unix_socket.empty())
        refuse("--proxy and --unix-socket cannot be used together", "use one of them");
    if (several && format == Format::raw)
        refuse("-o raw accepts only one URL", "use -o sse to print the events of several URLs");
    if (o.record.path == "-" && (o.format || o.format_text || !o.pointers.empty()))
        refuse("--record - and an output format both use standard output",
               "remove one of them, or record to a file");
    if (several && !o.record.path.empty())
        refuse("--record accepts only one URL", "run sse tail once for each URL");
    if (several && o.join) refuse("--join accepts only one URL", "run sse tail once for each URL");
    if (several && !o.client.last_event_id.empty()) {
        refuse("--last-event-id accepts only one URL",
               "use --state to save the last event ID of each URL");
    }
    if (o.exec.command.empty() && (o.exec.jobs != 1 || o.exec.stop))
        refuse("--jobs and --exec-fail need --exec", "add --exec COMMAND");
    if (o.exec.jobs > 1000)
        refuse("--jobs is at most 1000", "use a smaller number: each job has a thread");
    if (o.follow.select.invert && o.follow.select.grep.empty())
        refuse("--invert needs --grep", "add --grep RE");
}

sse::ClientOptions client_options(const TailOptions& o, const RequestFlags& request,
                                  const std::string& url, Format format) {
    auto client = o.client;
    try {
        client.request.url = sse::Url::parse(url);
    } catch (const sse::Error& e) {
        throw Failure(Exit::usage, e.what(),
                      "use the form http://HOST:PORT/PATH; :8080 means http://localhost:8080/");
    }
    client.request = make_request(request, client.request.url);
    if (const auto* id =
            client.request.find("Last-Event-ID")) { // replaced by the IDs of the stream
        if (client.last_event_id.empty()) client.last_event_id = id->value;
        client.request.erase("Last-Event-ID");
    }
    check_first_id(client);
    client.proxy = proxies_of(request);
    try {
        if (client.dial.unix_socket.empty()) sse::proxy_for(client.request.url, client.proxy);
    } catch (const sse::Error& e) {
        throw Failure(
            Exit::usage,
            fmt::format("{} {}",
                        request.proxy ? "--proxy" : "proxy from the environment:", e.what()),
            "use the form http://HOST:PORT or http://USER:PASSWORD@HOST:PORT");
    }
    for (const auto& text : o.resolve) client.dial.addresses.push_back(read_resolve(text));
    client.response.compressed = o.request.compressed;
    client.tls.verify = !o.insecure;
    client.dial.family = o.v4 ? sse::Family::v4 : o.v6 ? sse::Family::v6 : sse::Family::any;
    // Repeating a POST may cost money or have a second effect.
    client.reconnect = !o.no_reconnect && (o.reconnect || client.request.method == "GET");
    client.reconnect_when_refused = o.reconnect || client.retry_connect;
    client.feed_lines = format == Format::raw &&
                        (o.follow.count || !o.follow.until.empty() || !o.follow.until_data.empty());
    return client;
}

bool wants_colour(Colour colour, bool terminal) {
    if (colour != Colour::automatic) return colour == Colour::always;
    const char* no = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return terminal && (!no || !*no) && (!term || std::string_view(term) != "dumb");
}

std::size_t terminal_width() {
    winsize size{};
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::function<Moment()> stopwatch() {
    return [start = std::chrono::steady_clock::now()] {
        const auto passed =
            std::chrono::steady_clock::now() - start; // without the time of a suspended system
        return Moment{std::chrono::system_clock::now(),
                      std::chrono::duration_cast<std::chrono::microseconds>(passed)};
    };
}

/// The name of a URL without one of its own, secrets masked: short, and unlike the others.
std::string name_of(const sse::Url& url) {
    return url.authority() + (url.target == "/" ? "" : sse::mask_url(url.target));
}

} // namespace

std::vector<Stream> streams_of(const TailOptions& o, Format format) {
    check_together(o, format);
    auto request = o.request;
    complete(request);
    std::vector<Stream> streams;
    for (const auto& url : o.urls) {
        auto client = client_options(o, request, url, format);
        auto name = name_of(client.request.url);
        streams.push_back({std::move(name), std::move(client)});
    }
    for (const auto& text : o.named) {
        const auto equals = text.find('=');
        if (equals == text.npos || equals == 0) {
            throw Failure(Exit::usage,
                          fmt::format("--name \"{}\" is not NAME=URL", sse::printable(text, 100)),
                          "use the form --name staging=https://example.org/events");
        }
        streams.push_back(
            {text.substr(0, equals), client_options(o, request, text.substr(equals + 1), format)});
    }
    if (streams.empty())
        throw Failure(Exit::usage, "URL is required",
                      "for example sse tail http://localhost:8080/");
    return streams;
}

namespace {

/// For a recording on standard output.
class NoPrinter : public Printer {
    bool event(const ReceivedEvent&, std::string&) override { return true; }
};

} // namespace

std::unique_ptr<Printer> printer_of(const TailOptions& o, Format format, bool terminal) {
    if (o.record.path == "-") return std::make_unique<NoPrinter>();
    PrinterOptions options;
    options.terminal = terminal;
    options.colour = wants_colour(o.colour, terminal);
    options.width = terminal_width;
    options.fold = terminal && !o.no_fold;
    options.now = stopwatch();
    options.join = o.join;
    options.missing = o.missing;
    options.times = o.times;
    options.gap_warn = o.gap_warn;
    if (!o.exec.command.empty() && !o.format && !o.format_text && o.pointers.empty())
        return make_silent_printer();
    if (o.format_text) return make_format_printer(*o.format_text, std::move(options));
    if (!o.pointers.empty()) return make_pointer_printer(o.pointers, std::move(options));
    return make_printer(format, std::move(options));
}

} // namespace cmd
