// sse serve: put a stream of events on the web.
#include "base/printable.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/serve/serve_input.hpp"
#include "cmd/serve/serve_store.hpp"
#include "cmd/server/access.hpp"
#include "cmd/server/listen.hpp"
#include "cmd/server/operation.hpp"
#include "cmd/server/response_header.hpp"
#include "handlers/channel_handler.hpp"
#include "hub/channels.hpp"
#include "net/confine.hpp"
#include "server/server.hpp"

#include <CLI/CLI.hpp>
#include <atomic>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

namespace {

enum class OnEof { exit, hold };

struct ServeOptions {
    cmd::InputOptions input;
    sse::ChannelOptions channel;
    sse::ChannelsOptions channels;
    cmd::StoreFlags store;
    bool overflow_given = false;
    sse::ChannelRouteOptions route;
    sse::ServerOptions server;
    cmd::TokenSources tokens;
    OnEof on_eof = OnEof::exit;
    std::size_t wait_clients = 1;
    std::string port_file;
    cmd::OperationOptions operation;
};

const std::map<std::string, OnEof> on_eofs = {{"exit", OnEof::exit}, {"hold", OnEof::hold}};
const std::map<std::string, sse::Overflow> overflows = {{"block", sse::Overflow::block},
                                                        {"drop", sse::Overflow::drop},
                                                        {"disconnect", sse::Overflow::disconnect}};

const std::map<std::string, sse::PublishAs> publish_forms = {{"type", sse::PublishAs::type},
                                                             {"data", sse::PublishAs::data}};

std::string is_path(const std::string& text) {
    if (text.starts_with('/') && text.find_first_of("?#") == text.npos) return "";
    return fmt::format("\"{}\" is not a path such as / or /events", sse::printable(text, 60));
}

/// `oldest`, `all`, `new`, or how many events before the end.
std::optional<sse::Start> start_of(const std::string& text) {
    using At = sse::Start::At;
    if (text == "oldest") return sse::Start{At::oldest, 0};
    if (text == "all") return sse::Start{At::all, 0};
    if (text == "new") return sse::Start{At::newest, 0};
    std::size_t count = 0;
    const auto* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return sse::Start{At::last, count};
}

void add_start(CLI::App& app, sse::Start& start) {
    const auto store = [&start](const std::string& text) {
        const auto given = start_of(text);
        if (!given) {
            throw CLI::ValidationError(
                "--start", fmt::format("\"{}\" is not oldest, all, new or a number of events",
                                       sse::printable(text, 60)));
        }
        start = *given;
    };
    app.add_option_function<std::string>(
           "--start", store,
           "First event for a client without a last event ID: oldest (in the history), all "
           "(oldest in the store), new (the next one), or N events before the end")
        ->type_name("WHERE")
        ->default_str("oldest")
        ->group("History");
}

/// `3s`, or `3s..6s`.
sse::ChannelRouteOptions::RetryRange retry_range(const std::string& text) {
    using std::chrono::ceil, std::chrono::milliseconds;
    const auto dots = text.find("..");
    try {
        const auto least = ceil<milliseconds>(cmd::parse_duration(text.substr(0, dots)));
        const auto most = dots == text.npos
                              ? least
                              : ceil<milliseconds>(cmd::parse_duration(text.substr(dots + 2)));
        if (most < least) {
            throw CLI::ValidationError(
                "--retry",
                fmt::format("the range \"{}\" ends before it begins", sse::printable(text, 60)));
        }
        return {least, most};
    } catch (const sse::Error& e) {
        throw CLI::ValidationError("--retry", e.what());
    }
}

void add_options(CLI::App& app, ServeOptions& o) {
    cmd::add_input_options(app, o.input);
    const auto input = "Input";
    cmd::with_example(app.add_option_function<std::string>(
                          "--retry",
                          [&o](const std::string& text) { o.route.retry = retry_range(text); },
                          "Ask clients to wait this long before they reconnect; FROM..TO picks a "
                          "random time for each client"),
                      "3s..6s")
        ->type_name("DURATION")
        ->group(input);
    cmd::add_choice(app, "--on-eof", o.on_eof, on_eofs,
                    "When the input ends: exit after every client has received everything, or hold "
                    "(keep serving)")
        ->group(input);
    cmd::add_number<std::size_t>(app, "--wait-clients", o.wait_clients, 0,
                                 "Exit only after N clients have received everything")
        ->group(input);

    const auto history = "History";
    cmd::add_number<std::size_t>(app, "--history", o.channel.history.max_events, 1,
                                 "Keep the newest N events for clients that connect late or resume")
        ->group(history);
    cmd::add_size(app, "--history-bytes", o.channel.history.max_bytes, 1,
                  std::numeric_limits<std::size_t>::max(),
                  "Keep at most this many bytes of events in each channel")
        ->group(history);
    cmd::add_choice(app, "--overflow", o.channel.overflow, overflows,
                    "When the history is full and a client still needs its oldest event: block the "
                    "input, drop events for that client, or disconnect it")
        ->group(history);
    add_start(app, o.channel.start);
    cmd::add_event_type(app, "--gap-event", o.channel.gap_event,
                        "Also report missed events as an event of this type, because pages cannot "
                        "read comments",
                        "gap")
        ->group(history);

    cmd::add_store_options(app, o.store);
    cmd::add_needed_limit(app, "--store-timeout", o.route.store_timeout,
                          "Answer a POST with 503 if its events are not stored within this time")
        ->needs(app.get_option("--store"))
        ->group("Store");
    cmd::add_listen_options(app, o.server, o.port_file);
    cmd::add_io_option(app, o.server);
    cmd::add_access_options(app, o.server, o.tokens);
    cmd::add_publish_token_option(app, o.tokens);
    app.add_option("--path", o.route.path, "URL path of the stream")
        ->capture_default_str()
        ->type_name("PATH")
        ->check(is_path, "")
        ->group("HTTP");
    app.add_flag("--publish", o.route.publish,
                 "Publish the body of each POST: text, a JSON event or event-stream text; read "
                 "standard input only if - is given")
        ->group("HTTP");
    app.add_flag("--channels", o.route.channels,
                 "Make every path a channel of its own; JSON input names the channel with the key "
                 "\"channel\"")
        ->group("HTTP");
    cmd::add_number<std::size_t>(
        app, "--max-channels", o.channels.max_channels, 1,
        "Keep at most N channels with events at once, and N more that are only read")
        ->group("HTTP");
    cmd::add_size(app, "--total-history-bytes", o.channels.max_total_history_bytes, 1,
                  std::numeric_limits<std::size_t>::max(),
                  "Limit the size of all histories together; beyond it, remove the least recently "
                  "used channels")
        ->group("HTTP");
    cmd::add_choice(app, "--publish-as", o.route.publish_as, publish_forms,
                    "Read the body of a POST as its Content-Type requires (type), or as the data "
                    "of one event (data)")
        ->group("HTTP");
    cmd::add_needed_limit(app, "--channel-idle", o.channels.idle,
                          "Remove a channel that has been unused for this long")
        ->group("HTTP");
    cmd::add_duration(app, "--keepalive", o.route.keepalive,
                      "Send a comment when nothing has been sent for this long; 0 sends none")
        ->group("HTTP");
    cmd::add_event_type(app, "--keepalive-event", o.route.keepalive_event,
                        "Send an event of this type with empty data instead of the comment of "
                        "--keepalive, because pages cannot read comments",
                        "ping")
        ->group("HTTP");
    cmd::with_example(app.add_option_function<std::vector<std::string>>(
                          "--header",
                          [&o](const std::vector<std::string>& lines) {
                              for (const auto& line : lines)
                                  o.route.headers.push_back(cmd::response_header(line));
                          },
                          "Send this header field with every stream; it replaces a field of the "
                          "same name; repeatable"),
                      "'Name: value'")
        ->type_name("'NAME: VALUE'")
        ->group("HTTP");
    cmd::add_operation_options(app, o.operation);
}

/// Finishes the server once the input has ended and enough clients have received everything.
/// Any thread.
class End {
public:
    End(const ServeOptions& o, sse::Server& server)
        : o_(o)
        , server_(server) {}
    void stream_gone(bool whole) {
        if (whole) ++served_;
        check();
    }
    void input_ended(bool failed) {
        if (failed) server_.drain(true); // a failure does not wait for clients
        else if (o_.on_eof == OnEof::exit && served_ < o_.wait_clients && !server_.stopping())
            cmd::note(
                "the input has ended; waiting for a client to read it (--wait-clients 0 exits "
                "at once)");
        ended_ = true; // after the note, so that the totals are printed last
        check();
    }

private:
    void check() {
        if (o_.on_eof == OnEof::exit && ended_ && served_ >= o_.wait_clients) server_.drain(false);
    }
    const ServeOptions& o_;
    sse::Server& server_;
    std::atomic<std::size_t> served_{0};
    std::atomic<bool> ended_{false};
};

bool stdin_has_input() {
    struct stat status {};
    return ::fstat(STDIN_FILENO, &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISREG(status.st_mode));
}

int run(ServeOptions o) {
    const auto files = o.operation.files;
    cmd::open_through(files, o.server, o.tokens);
    o.input.open = [files](const std::string& path) {
        return files->open(path, sse::GivenFiles::Use::follow);
    };
    for (const auto& file : o.input.files) files->add(file, sse::GivenFiles::Use::follow);
    o.input.pump.channels = o.route.channels;
    if (o.overflow_given && o.channel.overflow == sse::Overflow::block &&
        !o.store.redis_url.empty())
        throw cmd::Failure(
            cmd::Exit::usage, "--overflow block cannot be used with Redis",
            "remove --overflow: a slow client reads from the store, and does not delay the others");
    const auto store = cmd::open_store(o.store); // outlives all that has events of it
    const auto redis = cmd::open_redis(o.store, o.route.store_timeout);
    std::unique_ptr<sse::Server> server;
    const auto executor = [&](std::size_t loop, std::function<void()> action) {
        server->post(loop, std::move(action));
    };
    o.channel.max_hold_up = o.server.stall_timeout;
    sse::Channels channels(o.channel, o.server.threads, executor, o.channels);
    channels.use_hooks({[&](std::size_t loop) { server->begin_sends(loop); },
                        [&](std::size_t loop) { server->end_sends(loop); }});
    if (store) {
        channels.use_log(*store);
        o.input.kept_place = [&store](const std::string& source) { return store->place(source); };
    }
    if (redis) channels.use_log(*redis);
    // The newest events of its channel are in memory before the first client needs them.
    if (!o.route.channels) channels.open(o.route.path);
    cmd::ShutdownGrace grace(o.server.grace);       // for the reader of the recording
    std::unique_ptr<sse::ChannelRecorder> recorder; // outlives the publishers
    std::optional<cmd::Inputs> inputs;              // nullopt: all events are published by POST
    if (!o.route.publish || o.input.any()) inputs.emplace(o.input, channels, o.route.path);
    else if (stdin_has_input())
        cmd::note("standard input is not read with --publish; add - to serve it as well");
    sse::ChannelHandler handler(o.route, channels, o.server.threads);
    o.server.tick_for(o.route.keepalive);
    if (o.channel.overflow != sse::Overflow::block) o.server.unsent_bytes = 0;
    server = std::make_unique<sse::Server>(cmd::with_tokens(o.server, o.tokens), handler);
    End end(o, *server);
    // Published events would be missing from it, and a store holds all that was read.
    const bool can_reread = inputs && !o.route.publish && !store && !redis;
    auto rereads = can_reread ? inputs->rereads() : nullptr;
    if (rereads) {
        handler.start_reading = [&](std::size_t loop, std::string id, std::function<void()> wake) {
            return rereads->start(
                std::move(id), [&executor, loop, wake = std::move(wake)] { executor(loop, wake); });
        };
    }
    o.operation.own_files = cmd::store_paths(o.store);
    handler.on_stream_end = [&](bool whole) { end.stream_gone(whole); };
    cmd::Operation operation(o.operation, *server, channels);
    cmd::reload_tokens_on_hangup(*server, o.tokens);
    cmd::listen(*server, o.server);
    // Last, because it replaces the file: nothing else can fail from here on.
    recorder = cmd::record(o.input, channels, o.route.path, grace);
    operation.begin();
    cmd::announce(*server, o.route.path, o.port_file);
    if (!o.server.trusted_proxies.empty()) {
        cmd::note(fmt::format("check whether the proxy delays or cuts streams with: sse check "
                              "https://HOST{}",
                              o.route.path));
    }
    const bool runs = !o.input.command.empty();
    if (recorder && !runs)
        recorder->on_thread([] { sse::confine_thread({{}, std::vector<std::string>{}}); });
    // Any file, for the resolver, and where rotation may replace each part of a path.
    std::optional<std::vector<std::string>> read_again;
    if (!redis && !o.input.follow)
        read_again = rereads ? rereads->files() : std::vector<std::string>();
    operation.settle(runs ? cmd::Operation::Programs::run : cmd::Operation::Programs::none,
                     o.store.directory, std::move(read_again));
    cmd::StoreRun storing(store.get(),
                          redis.get()); // last, so that its threads are confined as well

    const bool ends = !o.route.publish || o.on_eof == OnEof::exit;
    if (inputs) {
        if (inputs->load_first([&] { server->release_clients(); })) server->hold_clients();
        inputs->start([&](bool failed) {
            if (ends || failed) channels.end();
            end.input_ended(failed);
        });
    }
    server->on_stop([&] {
        grace.stop();
        if (inputs) inputs->stop();
        if (!inputs || !ends) channels.end();
    });
    const int signal = server->run();
    rereads.reset();
    if (inputs) inputs->stop();
    channels.close();
    storing.stop();
    operation.end(); // its totals include what the store has just written
    const int status = inputs ? inputs->join() : 0; // of the command; 0 without one
    if (recorder) recorder->finish();
    if (recorder && recorder->failed() && status == 0 && signal == 0) {
        throw cmd::Failure(
            cmd::Exit::io_error,
            o.input.record == "-" ? "the recording on standard output is incomplete"
                                  : fmt::format("the recording {} is incomplete", o.input.record),
            grace.is_over()
                ? "allow its reader more time with --grace"
                : "see the warning above for the reason; the recorded events are valid");
    }
    return signal == 0 ? status : 128 + signal;
}

constexpr auto serve_examples =
    "  $ make 2>&1 | sse serve                 the output of a command\n"
    "  $ sse serve -f app.log                  a log file, across rotation\n"
    "  $ sse serve --restart -- vmstat -n 1    a command, restarted when it exits\n"
    "  $ sse serve --publish --channels        let programs POST events to channels\n"
    "  $ sse tail -o sse https://host/events | sse serve --input sse    a relay\n";

} // namespace

void cmd::add_serve(CLI::App& command, Run& chosen, std::vector<std::string> program) {
    set_help(command, serve_examples);
    const auto options =
        std::make_shared<ServeOptions>(); // CLI11 binds by address: outlive the parse
    add_options(command, *options);
    options->input.command = std::move(program);
    const auto* const overflow = command.get_option("--overflow");
    command.callback([options, overflow, &chosen] {
        options->overflow_given = overflow->count() > 0;
        chosen = [options] { return run(*options); };
    });
}
