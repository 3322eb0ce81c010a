#include "cmd/tail/tail_options.hpp"

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
               "Default: pretty on a terminal, else data")
        ->group(group);
    add_choice(app, "--color", o.colour, colour_names,
               "Colours; NO_COLOR and TERM=dumb turn them off")
        ->group(group);
    add_choice(app, "--time", o.times, times_names,
               "What pretty says of the time: of day, since the start, since the last event")
        ->group(group);
    add_duration(app, "--gap-warn", o.gap_warn, "Mark gaps in pretty that are longer")
        ->group(group);
    app.add_flag("--no-fold", o.no_fold, "Leave long lines of pretty as long as they are")
        ->group(group);
    with_example(add_text(app, "-F,--format", o.format_text, "TEXT",
                          "Print this: {time} {t} {gap} {event} {id} {data} {/pointer}, \\n \\t",
                          Empty::taken),
                 "'{id} {data}'")
        ->group(group);
    with_example(add_texts(app, "--pointer", o.pointers, "/A/0/B",
                           "Print what this JSON pointer finds in the data; repeatable",
                           Empty::taken),
                 "/choices/0/delta/content")
        ->group(group);
    add_text(app, "--pointer-default", o.missing, "TEXT",
             "Print this where a pointer finds nothing", Empty::taken)
        ->group(group);
    app.add_flag("--join", o.join,
                 "No line ends behind --pointer and --format: text as it is written")
        ->group(group);
    app.add_flag("-v,--verbose", o.follow.verbose, "Say on stderr what goes over the wire, and why")
        ->group(group);
    app.add_flag(
           "--stats", o.stats,
           "Say on stderr at the end, and at SIGUSR1, how it went: times, events, rates, gaps")
        ->group(group);
    with_example(add_text(app, "--stats-file", o.stats_file, "FILE",
                          "Write the same there as a JSON object"),
                 "stats.json")
        ->group(group);
    with_example(add_text(app, "--state", o.state, "FILE",
                          "Keep the last event ID there, and go on after it next time"),
                 "last-id")
        ->group(group);
    auto* record =
        with_example(
            add_text(app, "--record", o.record.path, "FILE",
                     "Also record the stream, for sse replay; to -, instead of printing it"),
            "run.jsonl")
            ->group(group);
    app.add_flag("--bytes", o.record.bytes, "Record each read as it came, byte for byte")
        ->needs(record)
        ->group(group);
    app.add_flag("--record-body", o.record.body, "Record the body of the request, too")
        ->needs(record)
        ->group(group);
    app.add_flag_callback(
           "--no-mask", [&o] { o.record.writer.mask = false; }, "Record credentials, too")
        ->needs(record)
        ->group(group);
}

void add_selection_options(CLI::App& app, TailOptions& o) {
    const auto select = "Select and stop";
    with_example(add_texts(app, "-e,--event", o.follow.select.types, "TYPE",
                           "Only events of this type, * and ? as in file names; !TYPE: not those"),
                 "update")
        ->group(select);
    with_example(add_texts(app, "--grep", o.follow.select.grep, "RE",
                           "Only events whose data this extended regular expression finds"),
                 "error")
        ->group(select);
    app.add_flag("--invert", o.follow.select.invert, "Only those that no --grep finds")
        ->group(select);
    with_example(
        add_number<std::size_t>(app, "-n,--count", o.follow.count, 1, "Stop after so many events"),
        "10")
        ->group(select);
    with_example(
        add_texts(app, "--until", o.follow.until, "TYPE", "Stop after an event of this type"),
        "done")
        ->group(select);
    add_texts(app, "--until-data", o.follow.until_data, "TEXT",
              "Stop after an event with this data, such as [DONE]", Empty::taken)
        ->group(select);
    add_limit(app, "-m,--max-time", o.max_time, "Stop after so long, with exit status 28")
        ->group(select);
    add_limit(app, "--idle-timeout", o.idle_timeout,
              "Stop when nothing came for so long, with exit status 28")
        ->group(select);
}

void add_connection_options(CLI::App& app, TailOptions& o) {
    const auto group = "Connection";
    app.add_flag("--no-reconnect", o.no_reconnect, "End with the stream")->group(group);
    app.add_flag("--reconnect", o.reconnect,
                 "Connect again also after a POST, and after the server has gone")
        ->group(group);
    app.add_flag("--resume-get", o.client.resume_with_get,
                 "Go on after a POST with a GET and the last event ID, as MCP has it")
        ->group(group);
    app.add_flag("--retry-connect", o.client.retry_connect,
                 "Also retry a first connection that fails")
        ->group(group);
    with_example(add_number<unsigned>(app, "--retries", o.client.retries, 0,
                                      "Give up after so many failures in a row"),
                 "5")
        ->group(group);
    add_duration(app, "--retry", o.client.backoff.reconnection_time,
                 "Reconnection time, until the server names another")
        ->group(group);
    add_duration(app, "--retry-max", o.client.backoff.retry_max,
                 "Longest wait between failing attempts")
        ->group(group);
    with_example(add_text(app, "--last-event-id", o.client.last_event_id, "ID",
                          "Go on after this event", Empty::taken),
                 "42")
        ->group(group);
    add_limit(app, "--connect-timeout", o.client.dial.connect_timeout,
              "For name, connection and TLS together")
        ->group(group);
    add_limit(app, "--read-timeout", o.client.response.read_timeout,
              "Connect again when the server sent nothing for so long")
        ->group(group);
    add_max_event_bytes(app, o.client.parser.max_event_bytes, "Bytes that one event may have")
        ->group(group);
    app.add_flag("-k,--insecure", o.insecure, "Do not check the server's certificate")
        ->group(group);
    with_example(add_text(app, "--cacert", o.client.tls.ca_file, "FILE",
                          "Trust these certificates instead of the system's"),
                 "ca.pem")
        ->group(group);
    auto* cert = with_example(add_text(app, "--cert", o.client.tls.cert_file, "FILE",
                                       "Client certificate (PEM)"),
                              "client.pem")
                     ->group(group);
    with_example(add_text(app, "--key", o.client.tls.key_file, "FILE",
                          "Its key, if it is not in the same file"),
                 "key.pem")
        ->needs(cert)
        ->group(group);
    with_example(add_text(app, "--unix-socket", o.client.dial.unix_socket, "PATH",
                          "Connect to this socket instead of the URL's host"),
                 "/run/app.sock")
        ->group(group);
    with_example(add_texts(app, "--resolve", o.resolve, "HOST:PORT:ADDRESS",
                           "Connect to ADDRESS for HOST and PORT"),
                 "example.org:443:127.0.0.1")
        ->group(group);
    app.add_flag("--ndjson", o.client.json_lines,
                 "The answer is JSON lines, whatever its type says")
        ->group(group);
    auto* v4 = app.add_flag("-4,--ipv4", o.v4, "Only IPv4 addresses")->group(group);
    app.add_flag("-6,--ipv6", o.v6, "Only IPv6 addresses")->excludes(v4)->group(group);
}

const std::map<std::string, bool> exec_fail_names = {{"stop", true}, {"warn", false}};

void add_exec_options(CLI::App& app, TailOptions& o) {
    const auto group = "Act";
    with_example(
        add_text(app, "--exec", o.exec.command, "COMMAND",
                 "Run this shell command for each event instead of printing it: the data on stdin, "
                 "SSE_EVENT, SSE_ID and SSE_DATA in the environment"),
        "'wc -c'")
        ->group(group);
    add_number<std::size_t>(app, "--jobs", o.exec.jobs, 1, "Commands at a time, in order with 1")
        ->default_str(fmt::format("{}", o.exec.jobs))
        ->group(group);
    add_choice(app, "--exec-fail", o.exec.stop, exec_fail_names,
               "What becomes of it when a command fails: a warning, or an end with status 1")
        ->group(group);
}

} // namespace

void add_tail_options(CLI::App& app, TailOptions& o) {
    app.add_option("URL", o.urls, "http or https; localhost:8080/x and :8080 mean http");
    with_example(add_texts(app, "--name", o.named, "NAME=URL",
                           "A URL too, whose lines are marked with NAME"),
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
            "write it as --resolve example.org:443:127.0.0.1");
    }
}

/// What was typed is sent, or refused; later ids that cannot be sent are the server's doing.
void check_first_id(const sse::ClientOptions& client) {
    const auto& id = client.last_event_id;
    const auto is_control = [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    };
    if (std::any_of(id.begin(), id.end(), is_control))
        throw Failure(Exit::usage,
                      "--last-event-id holds a control character, which no header can carry",
                      "give the id as the server sent it");
    if (id.size() > client.max_sent_id_bytes)
        throw Failure(Exit::usage,
                      fmt::format("--last-event-id has {} bytes, and over {} are not sent",
                                  id.size(), client.max_sent_id_bytes),
                      "give the id of another event");
}

/// What the flags ask for that do not go together.
void check_together(const TailOptions& o, Format format) {
    const bool several = o.urls.size() + o.named.size() > 1;
    const auto refuse = [](const char* what, const char* hint) {
        throw Failure(Exit::usage, what, hint);
    };
    if (o.no_reconnect && o.reconnect)
        refuse("--reconnect and --no-reconnect exclude each other", "give one of them");
    if (o.client.resume_with_get && (o.reconnect || o.no_reconnect))
        refuse("--resume-get does not go with --reconnect, nor with --no-reconnect",
               "give one of them");
    if (format == Format::raw &&
        (!o.follow.select.types.empty() || !o.follow.select.grep.empty())) {
        refuse("-e and --grep do not go with -o raw, which prints the bytes as they come",
               "-o sse prints the events they select");
    }
    if (o.format_text && !o.pointers.empty())
        refuse("--format and --pointer exclude each other",
               "pointers may stand in a format, as {/a/0}");
    if (o.format && (o.format_text || !o.pointers.empty()))
        refuse("-o does not go with --format or --pointer", "leave -o out");
    if ((o.join || o.missing) && !o.format_text && o.pointers.empty()) {
        refuse("--join and --pointer-default need --pointer or --format",
               "name what to print, as --pointer /choices/0/delta/content");
    }
    if (o.request.proxy && !o.request.proxy->empty() && !o.client.dial.unix_socket.empty())
        refuse("--proxy and --unix-socket exclude each other", "give one of them");
    if (several && format == Format::raw)
        refuse("-o raw prints one URL", "-o sse prints the events of several");
    if (o.record.path == "-" && (o.format || o.format_text || !o.pointers.empty()))
        refuse("--record - and an output format both want standard output",
               "leave one of them out, or record to a file");
    if (several && !o.record.path.empty())
        refuse("--record records one URL", "run one sse tail for each");
    if (several && o.join) refuse("--join prints one URL", "run one sse tail for each");
    if (several && !o.client.last_event_id.empty()) {
        refuse("--last-event-id is of one URL", "--state keeps the last event ID of each");
    }
    if (o.exec.command.empty() && (o.exec.jobs != 1 || o.exec.stop))
        refuse("--jobs and --exec-fail need --exec", "name what to run with --exec");
    if (o.exec.jobs > 1000)
        refuse("--jobs is at most 1000", "a thread waits for each, so few are best");
    if (o.follow.select.invert && o.follow.select.grep.empty())
        refuse("--invert needs --grep", "name what is not wanted with --grep");
}

sse::ClientOptions client_options(const TailOptions& o, const RequestFlags& request,
                                  const std::string& url, Format format) {
    auto client = o.client;
    try {
        client.request.url = sse::Url::parse(url);
    } catch (const sse::Error& e) {
        throw Failure(Exit::usage, e.what(),
                      "write it as http://HOST:PORT/PATH; :8080 is this machine");
    }
    client.request = make_request(request, client.request.url);
    if (const auto* id = client.request.find("Last-Event-ID")) { // only until the stream has others
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
            fmt::format("{} {}", request.proxy ? "--proxy" : "of the environment,", e.what()),
            "write it as http://HOST:PORT, or as http://USER:PASSWORD@HOST:PORT");
    }
    for (const auto& text : o.resolve) client.dial.addresses.push_back(read_resolve(text));
    client.response.compressed = o.request.compressed;
    client.tls.verify = !o.insecure;
    client.dial.family = o.v4 ? sse::Family::v4 : o.v6 ? sse::Family::v6 : sse::Family::any;
    // A POST may cost money, or do something twice: only if it is asked for.
    client.reconnect = !o.no_reconnect && (o.reconnect || client.request.method == "GET");
    client.keep_when_gone = o.reconnect || client.retry_connect;
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
        const auto passed = std::chrono::steady_clock::now() - start; // none of it while suspended
        return Moment{std::chrono::system_clock::now(),
                      std::chrono::duration_cast<std::chrono::microseconds>(passed)};
    };
}

/// What a URL is called that nobody has named: short, and told apart from the others.
std::string name_of(const sse::Url& url) {
    return url.authority() + (url.target == "/" ? "" : url.target);
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
                          "write it as --name staging=https://example.org/events");
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

/// For when standard output is taken.
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
