// sse tail: follow a stream and print its events.
#include "cmd/choice.hpp"
#include "cmd/command.hpp"
#include "cmd/duration.hpp"
#include "cmd/follower.hpp"
#include "cmd/number.hpp"
#include "cmd/output.hpp"
#include "cmd/printer.hpp"
#include "cmd/recorder.hpp"
#include "cmd/request_flags.hpp"
#include "cmd/signals.hpp"
#include "http/client.hpp"
#include "protocol/printable.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <sys/ioctl.h>
#include <unistd.h>

namespace {

using std::chrono::milliseconds;

enum class Colour { automatic, always, never };

struct Options {
    std::string url;
    cmd::RequestFlags request;
    sse::ClientOptions client;
    cmd::FollowOptions follow;
    std::optional<cmd::Format> format;
    Colour colour = Colour::automatic;
    std::optional<milliseconds> max_time, idle_timeout, gap_warn;
    std::vector<std::string> pointers;
    std::optional<std::string> format_text, missing;
    cmd::Times times = cmd::Times::absolute;
    std::string record, state;
    std::vector<std::string> resolve;
    bool join = false, invert = false;
    bool insecure = false, v4 = false, v6 = false, no_reconnect = false, reconnect = false;
};

const std::map<std::string, Colour> colour_names = {
    {"auto", Colour::automatic}, {"always", Colour::always}, {"never", Colour::never}};
const std::map<std::string, cmd::Format> format_names = {{"pretty", cmd::Format::pretty},
                                                         {"data", cmd::Format::data},
                                                         {"json", cmd::Format::json},
                                                         {"sse", cmd::Format::sse},
                                                         {"raw", cmd::Format::raw}};

const std::map<std::string, cmd::Times> times_names = {{"abs", cmd::Times::absolute},
                                                       {"rel", cmd::Times::relative},
                                                       {"delta", cmd::Times::delta},
                                                       {"none", cmd::Times::none}};

void add_output_options(CLI::App& app, Options& o) {
    const auto group = "Output";
    cmd::add_choice(app, "-o,--output", o.format, format_names,
                    "Default: pretty on a terminal, else data")
        ->group(group);
    cmd::add_choice(app, "--color", o.colour, colour_names,
                    "Colours; NO_COLOR and TERM=dumb turn them off")
        ->group(group);
    cmd::add_choice(app, "--time", o.times, times_names,
                    "What pretty says of the time: of day, since the start, since the last event")
        ->group(group);
    cmd::add_duration(app, "--gap-warn", o.gap_warn, "Mark gaps in pretty that are longer")
        ->group(group);
    app.add_option("-F,--format", o.format_text,
                   "Print this: {time} {t} {gap} {event} {id} {data} {/pointer}, \\n \\t")
        ->type_name("TEXT")
        ->group(group);
    app.add_option("--pointer", o.pointers,
                   "Print what this JSON pointer finds in the data; repeatable")
        ->allow_extra_args(false)
        ->type_name("/A/0/B")
        ->group(group);
    app.add_option("--pointer-default", o.missing, "Print this where a pointer finds nothing")
        ->type_name("TEXT")
        ->group(group);
    app.add_flag("--join", o.join,
                 "No line ends behind --pointer and --format: text as it is written")
        ->group(group);
    app.add_flag("-v,--verbose", o.follow.verbose, "Say on stderr what goes over the wire, and why")
        ->group(group);
    app.add_option("--state", o.state, "Keep the last event ID there, and go on after it next time")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--record", o.record, "Also record the stream, for sse replay")
        ->type_name("FILE")
        ->group(group);
}

void add_selection_options(CLI::App& app, Options& o) {
    const auto select = "Select and stop";
    const auto each = [&](const char* names, std::vector<std::string>& field, const char* help,
                          const char* type) {
        app.add_option(names, field, help)->allow_extra_args(false)->type_name(type)->group(select);
    };
    each("-e,--event", o.follow.select.types,
         "Only events of this type, * and ? as in file names; !TYPE: not those", "TYPE");
    each("--grep", o.follow.select.grep,
         "Only events whose data this extended regular expression finds", "RE");
    app.add_flag("--invert", o.follow.select.invert, "Only those that no --grep finds")
        ->group(select);
    cmd::add_number<std::size_t>(app, "-n,--count", o.follow.count, 1, "Stop after so many events")
        ->group(select);
    each("--until", o.follow.until, "Stop after an event of this type", "TYPE");
    each("--until-data", o.follow.until_data, "Stop after an event with this data, such as [DONE]",
         "TEXT");
    cmd::add_duration(app, "-m,--max-time", o.max_time, "Stop after so long, with exit status 28")
        ->group(select);
    cmd::add_duration(app, "--idle-timeout", o.idle_timeout,
                      "Stop when nothing came for so long, with exit status 28")
        ->group(select);
}

void add_connection_options(CLI::App& app, Options& o) {
    const auto group = "Connection";
    app.add_flag("--no-reconnect", o.no_reconnect, "End with the stream")->group(group);
    app.add_flag("--reconnect", o.reconnect,
                 "Connect again also after a POST, and after the server has gone")
        ->group(group);
    app.add_flag("--retry-connect", o.client.retry_connect,
                 "Also retry a first connection that fails")
        ->group(group);
    cmd::add_number<unsigned>(app, "--retries", o.client.retries, 0,
                              "Give up after so many failures in a row")
        ->group(group);
    cmd::add_duration(app, "--retry", o.client.backoff.reconnection_time,
                      "Reconnection time, until the server names another")
        ->group(group);
    cmd::add_duration(app, "--retry-max", o.client.backoff.retry_max,
                      "Longest wait between failing attempts")
        ->group(group);
    app.add_option("--last-event-id", o.client.last_event_id, "Go on after this event")
        ->type_name("ID")
        ->group(group);
    cmd::add_duration(app, "--connect-timeout", o.client.dial.connect_timeout,
                      "For name, connection and TLS together")
        ->group(group);
    cmd::add_duration(app, "--read-timeout", o.client.reply.read_timeout,
                      "Connect again when the server sent nothing for so long")
        ->group(group);
    app.add_option("--max-event-bytes", o.client.parser.max_event_bytes,
                   "Bytes that one event may have")
        ->transform(CLI::AsSizeValue(false))
        ->capture_default_str()
        ->group(group);
    app.add_flag("-k,--insecure", o.insecure, "Do not check the server's certificate")
        ->group(group);
    app.add_option("--cacert", o.client.tls.ca_file,
                   "Trust these certificates instead of the system's")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--cert", o.client.tls.cert_file, "Client certificate (PEM)")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--key", o.client.tls.key_file, "Its key, if it is not in the same file")
        ->type_name("FILE")
        ->group(group);
    app.add_option("--unix-socket", o.client.dial.unix_socket,
                   "Connect to this socket instead of the URL's host")
        ->type_name("PATH")
        ->group(group);
    app.add_option("--resolve", o.resolve, "Connect to ADDRESS for HOST and PORT")
        ->allow_extra_args(false)
        ->type_name("HOST:PORT:ADDRESS")
        ->group(group);
    app.add_flag("--ndjson", o.client.json_lines,
                 "The answer is JSON lines, whatever its type says")
        ->group(group);
    auto* v4 = app.add_flag("-4,--ipv4", o.v4, "Only IPv4 addresses")->group(group);
    app.add_flag("-6,--ipv6", o.v6, "Only IPv6 addresses")->excludes(v4)->group(group);
}

void add_options(CLI::App& app, Options& o) {
    app.add_option("URL", o.url, "http or https; localhost:8080/x and :8080 mean http")->required();
    add_output_options(app, o);
    add_selection_options(app, o);
    add_request_flags(app, o.request);
    add_connection_options(app, o);
}

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
        throw cmd::Failure(
            cmd::Exit::usage,
            fmt::format("--resolve \"{}\" is not HOST:PORT:ADDRESS", sse::printable(text, 100)),
            "write it as --resolve example.org:443:127.0.0.1");
    }
}

/// What the flags ask for that do not go together.
void check_together(const Options& o, cmd::Format format) {
    const auto refuse = [](const char* what, const char* hint) {
        throw cmd::Failure(cmd::Exit::usage, what, hint);
    };
    if (o.no_reconnect && o.reconnect)
        refuse("--reconnect and --no-reconnect exclude each other", "give one of them");
    if (format == cmd::Format::raw &&
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
    if (o.follow.select.invert && o.follow.select.grep.empty())
        refuse("--invert needs --grep", "name what is not wanted with --grep");
}

sse::ClientOptions client_options(const Options& o, cmd::Format format) {
    auto client = o.client;
    try {
        client.request.url = sse::Url::parse(o.url);
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::Exit::usage, e.what(),
                           "write it as http://HOST:PORT/PATH; :8080 is this machine");
    }
    client.request = cmd::make_request(o.request, client.request.url);
    for (const auto& text : o.resolve) client.dial.addresses.push_back(read_resolve(text));
    client.tls.verify = !o.insecure;
    client.dial.family = o.v4 ? sse::Family::v4 : o.v6 ? sse::Family::v6 : sse::Family::any;
    // A POST may cost money, or do something twice: only if it is asked for.
    client.reconnect = !o.no_reconnect && (o.reconnect || client.request.method == "GET");
    client.keep_when_gone = o.reconnect || client.retry_connect;
    client.feed_lines = format == cmd::Format::raw &&
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

std::function<cmd::Moment()> stopwatch() {
    return [start = std::chrono::steady_clock::now(), calendar = std::chrono::system_clock::now()] {
        const auto passed = std::chrono::steady_clock::now() - start;
        return cmd::Moment{
            calendar + std::chrono::duration_cast<std::chrono::system_clock::duration>(passed),
            std::chrono::duration_cast<std::chrono::microseconds>(passed)};
    };
}

std::string hint_for(const sse::AnswerError& answer) {
    switch (answer.status()) {
    case 401:
    case 403: return "give credentials with -u, --bearer or -H, if you have them";
    case 404: return "check the path in the URL";
    case 405: return "another method may be wanted: -X, or -d or --json to POST";
    case 407: return "the proxy wants credentials";
    case 429:
    case 500:
    case 502:
    case 503:
    case 504: return "--retry-connect tries again until the stream opens";
    case 200: break;
    default: return "curl -iN shows the whole answer";
    }
    const auto& type = answer.content_type();
    if (type == "text/html") return "that is a page: check the path, or whether it wants a login";
    if (type == "application/json")
        return "an API may stream only when asked: a field in the body, or a parameter";
    if (type.find("ndjson") != type.npos || type.find("jsonl") != type.npos)
        return "--ndjson reads JSON lines as events";
    return "curl -iN shows the whole answer";
}

/// An error with the way out of it, where this command knows one.
cmd::Failure explained(const sse::Error& e) {
    const auto hint = [&]() -> std::string {
        if (const auto* answer = dynamic_cast<const sse::AnswerError*>(&e))
            return hint_for(*answer);
        switch (e.code()) {
        case sse::Errc::invalid_argument: return "sse tail --help lists what there is";
        case sse::Errc::resolve: return "check the host's name in the URL";
        case sse::Errc::connect:
            return "check the address, or wait for the server with --retry-connect";
        case sse::Errc::timeout: return "--connect-timeout and --read-timeout say how long to wait";
        case sse::Errc::tls_verify:
            return "trust its issuer with --cacert FILE, or check nothing with -k";
        case sse::Errc::tls_handshake: return "check that the port speaks TLS, or use http";
        case sse::Errc::too_large: return "raise --max-event-bytes if the stream is to be trusted";
        case sse::Errc::receive: return "--reconnect connects again";
        default: return {};
        }
    }();
    return {cmd::exit_status(e.code()), e.what(), hint};
}

/// The exit status once the client has come back by itself or was made to.
int conclude(sse::Client::End end, const sse::Interrupt& interrupt, const cmd::Signals& signals,
             const cmd::Follower& follower, const Options& o) {
    using Reason = sse::Interrupt::Reason;
    if (end == sse::Client::End::interrupted) {
        switch (interrupt.reason()) {
        case Reason::expired:
            throw cmd::Failure(cmd::Exit::timed_out,
                               fmt::format("{} have passed", cmd::format_duration(*o.max_time)),
                               "--max-time is how long it may take");
        case Reason::idle:
            throw cmd::Failure(
                cmd::Exit::timed_out,
                fmt::format("nothing came for {}", cmd::format_duration(*o.idle_timeout)),
                "--idle-timeout is how long a silence may be");
        case Reason::raised: return 128 + signals.caught();
        case Reason::reader_gone:
        case Reason::none: return cmd::Exit::done;
        }
    }
    if (follower.satisfied()) return cmd::Exit::done;
    throw cmd::Failure(cmd::Exit::incomplete,
                       fmt::format("the stream ended after {} events, before what was waited for",
                                   follower.printed()),
                       "-n, --until and --until-data say what ends it well");
}

std::unique_ptr<cmd::Printer> printer_for(const Options& o, cmd::Format format, bool terminal) {
    cmd::PrinterOptions options;
    options.terminal = terminal;
    options.colour = wants_colour(o.colour, terminal);
    options.width = terminal_width();
    options.now = stopwatch();
    options.join = o.join;
    options.missing = o.missing;
    options.times = o.times;
    options.gap_warn = o.gap_warn;
    if (o.format_text) return cmd::make_format_printer(*o.format_text, std::move(options));
    if (!o.pointers.empty()) return cmd::make_pointer_printer(o.pointers, std::move(options));
    return cmd::make_printer(format, std::move(options));
}

int run(const Options& o) try {
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const auto format = o.format.value_or(terminal ? cmd::Format::pretty : cmd::Format::data);
    check_together(o, format);
    auto options = client_options(o, format);
    const auto url = options.request.url.text();

    sse::Interrupt interrupt;
    const cmd::Signals signals(interrupt);
    if (o.max_time) interrupt.expire_at(sse::Interrupt::Clock::now() + *o.max_time);
    if (o.idle_timeout) interrupt.expire_when_idle(*o.idle_timeout);

    cmd::Output output(STDOUT_FILENO, interrupt);
    const auto printer = printer_for(o, format, terminal);
    std::unique_ptr<cmd::Recorder> recorder;
    if (!o.record.empty()) recorder = std::make_unique<cmd::Recorder>(o.record, options.request);
    std::unique_ptr<cmd::State> state;
    if (!o.state.empty()) state = std::make_unique<cmd::State>(o.state);
    if (state && options.last_event_id.empty()) options.last_event_id = state->last_event_id(url);

    cmd::Follower follower(o.follow, *printer, output, {recorder.get(), state.get()}, url,
                           options.last_event_id);
    sse::Client client(std::move(options), follower, interrupt);
    follower.when_enough([&] { client.stop(); });
    try {
        const auto end = client.run();
        if (o.join && terminal && follower.printed() > 0) output.text().push_back('\n');
        follower.finish(end == sse::Client::End::interrupted ? output.finish() : output.flush());
        return conclude(end, interrupt, signals, follower, o);
    } catch (const sse::Error&) {
        follower.finish(output.flush());
        throw;
    }
} catch (const sse::Error& e) {
    throw explained(e);
}

} // namespace

void cmd::add_tail(CLI::App& app, Run& chosen) {
    auto& sub = *app.add_subcommand("tail", "Follow a stream and print its events");
    const auto options = std::make_shared<Options>();
    add_options(sub, *options);
    sub.callback([options, &chosen] { chosen = [options] { return run(*options); }; });
}
