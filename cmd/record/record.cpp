// sse record: a proxy that records the exchanges it forwards, for sse replay to play.
#include "base/error.hpp"
#include "base/printable.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/pointers_option.hpp"
#include "cmd/cli/text_option.hpp"
#include "cmd/server/access.hpp"
#include "cmd/server/listen.hpp"
#include "cmd/server/operation.hpp"
#include "http/authority.hpp"
#include "proxy/proxy_handler.hpp"
#include "server/server.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <unistd.h>

namespace {

struct RecordOptions {
    sse::RecordingProxyOptions proxy;
    sse::RecordingStoreOptions store;
    sse::RecordMode mode = sse::RecordMode::all;
    sse::PlaybackHandlerOptions playback;
    sse::ServerOptions server;
    cmd::TokenSources tokens;
    cmd::OperationOptions operation;
    std::string upstream, port_file;
    bool insecure = false;

    RecordOptions() {
        server.request.max_body_bytes = no_limit;
        server.max_clients = 1'000; // each needs three descriptors
    }
    static constexpr std::size_t no_limit = std::size_t{1} << 62;
};

const std::map<std::string, sse::RecordMode> record_modes = {
    {"once", sse::RecordMode::once}, {"new", sse::RecordMode::add}, {"all", sse::RecordMode::all}};

/// Read buffer of one playback. Small, since there may be thousands of clients.
constexpr std::size_t playback_buffer_bytes = 16 * 1024;
/// Limit of a body where the whole body is needed to find its recording, unless one is given.
constexpr std::size_t max_matched_body_bytes = 16 * 1024 * 1024;
/// Descriptors of one client: its socket, the socket of the upstream connection, and the recording.
constexpr std::size_t descriptors_of_exchange = 3;

sse::Url upstream_url(const std::string& text) {
    const auto hint = "give the base URL of the server, such as https://api.example or :8000";
    try {
        auto url = sse::Url::parse(text);
        if (url.target.find('?') == url.target.npos) return url;
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::Exit::usage, e.what(), hint);
    }
    throw cmd::Failure(cmd::Exit::usage, "the URL of the upstream server cannot have a query",
                       hint);
}

void add_upstream_options(CLI::App& app, RecordOptions& o) {
    const auto group = "Upstream";
    cmd::add_limit(app, "--connect-timeout", o.proxy.upstream.dial.connect_timeout,
                   "Time limit for name lookup, connection and TLS handshake together")
        ->group(group);
    app.add_flag("-k,--insecure", o.insecure, "Do not verify the upstream server's certificate")
        ->group(group);
    cmd::with_example(
        cmd::add_text(app, "--cacert", o.proxy.upstream.tls.ca_file, "FILE",
                      "Trust the certificates in this file (PEM) instead of those of the system"),
        "ca.pem")
        ->group(group);
}

void add_options(CLI::App& app, RecordOptions& o) {
    app.add_option("UPSTREAM", o.upstream,
                   "URL of the server to forward requests to; its path is prepended to that of "
                   "each request")
        ->required();
    app.add_option("DIR", o.store.directory,
                   "Directory of the recordings; created if it does not exist")
        ->required();
    const auto group = "Recording";
    cmd::add_choice(app, "--mode", o.mode, record_modes,
                    "Forward all requests and replace their recordings (all); forward requests "
                    "that have no recording, and play the others (new); or forward requests only "
                    "if DIR has no recordings, and play them otherwise (once)")
        ->group(group);
    cmd::add_pointers(app, "--mask-json", o.store.masked,
                      "Record the value at this JSON pointer as *** in JSON bodies of requests and "
                      "responses, but not in event streams; * selects every element of an array; "
                      "repeatable",
                      "/metadata/user_id")
        ->group(group);
    app.add_flag_callback(
           "--no-mask", [&o] { o.store.mask = false; },
           "Record secrets in headers and URLs as they are, instead of as ***")
        ->group(group);
    cmd::add_pointers(app, "--match-ignore", o.playback.routes.ignored,
                      "Ignore the value at this JSON pointer when the bodies of requests and "
                      "recordings are compared; * selects every element of an array; repeatable",
                      "/metadata/request_id")
        ->group(group);
    add_upstream_options(app, o);
    cmd::add_listen_options(app, o.server, o.port_file);
    cmd::with_example(app.get_option("--max-body-bytes"), "64mb")
        ->default_str("")
        ->description("Refuse a larger request body with 413 (default: no limit; 16mb where "
                      "recordings are played)");
    cmd::add_access_options(app, o.server, o.tokens);
    app.get_option("--cors")->description(
        "Let pages of this origin (such as https://app.example) send requests and read the "
        "responses; * lets pages of any origin send GET requests; repeatable");
    cmd::add_operation_options(app, o.operation);
}

sse::RecordingStore open_store(const RecordOptions& o) {
    auto options = o.store;
    options.replace = o.mode == sse::RecordMode::all;
    try {
        return sse::RecordingStore(std::move(options));
    } catch (const std::system_error& e) {
        throw cmd::Failure(cmd::Exit::io_error, e.what(),
                           "give a directory that this user can create and write to");
    }
}

/// Refuses to start if the upstream server is this proxy, which would forward requests to itself
/// until its descriptors are used up.
void refuse_itself(const sse::Server& server, const sse::Url& upstream) {
    const bool local = sse::Authority{upstream.host, -1}.is_loopback();
    for (const auto& address : server.addresses()) {
        if (address.url.starts_with("unix:")) continue;
        const auto own = sse::Url::parse(address.url);
        if (own.port != upstream.port || !(local || own.host == upstream.host)) continue;
        throw cmd::Failure(
            cmd::Exit::usage,
            fmt::format("{} is the address that sse record listens on", upstream.endpoint()),
            "choose another address with --listen, or port 0 for any free port");
    }
}

void tell_what_it_does(const RecordOptions& o, const sse::ProxyHandler& handler,
                       const sse::RecordingStore& store) {
    const auto& upstream = o.proxy.upstream.url;
    if (handler.plays_only()) {
        cmd::note(fmt::format("{} contains recordings, so they are played, and {} is not contacted",
                              o.store.directory, upstream.endpoint()));
    } else {
        cmd::note(fmt::format("forwarding requests to {}, recording in {}", upstream.shown(),
                              store.options().directory));
    }
}

int run(RecordOptions o) {
    cmd::open_through(o.operation.files, o.server, o.tokens);
    o.proxy.upstream.url = upstream_url(o.upstream);
    o.proxy.upstream.tls.verify = !o.insecure;
    auto store = open_store(o);
    const bool plays = o.mode != sse::RecordMode::all && !store.earlier().empty();
    if (plays && o.server.request.max_body_bytes == RecordOptions::no_limit)
        o.server.request.max_body_bytes = max_matched_body_bytes;
    const auto listening = cmd::with_tokens(o.server, o.tokens);
    o.proxy.hide_token =
        !listening.guard.read_tokens.empty() || !listening.guard.publish_tokens.empty();
    o.playback.playback.reader.buffer_bytes = playback_buffer_bytes;

    std::unique_ptr<sse::Server> server;
    sse::ProxyReports reports;
    reports.warning = cmd::warn;
    sse::ProxyHandler handler(
        o.proxy, o.mode, store, o.playback, o.server.threads,
        [&](std::size_t loop) -> asio::io_context& { return server->context(loop); }, reports);
    server = std::make_unique<sse::Server>(listening, handler);
    cmd::Operation operation(o.operation, *server, handler);
    cmd::reload_tokens_on_hangup(*server, o.tokens);
    cmd::listen(*server, o.server, descriptors_of_exchange);
    refuse_itself(*server, o.proxy.upstream.url);
    operation.begin();
    if (::access(o.store.directory.c_str(), W_OK | X_OK) != 0) {
        throw cmd::Failure(
            cmd::Exit::io_error,
            fmt::format("user {} cannot write to {}", o.operation.user, o.store.directory),
            fmt::format("change its owner: chown {} {}", o.operation.user, o.store.directory));
    }
    tell_what_it_does(o, handler, store);
    cmd::announce(*server, "/", o.port_file);
    operation.settle(cmd::Operation::Programs::none, o.store.directory,
                     std::nullopt); // the resolver reads any file
    const int signal = server->run();
    operation.end();
    if (handler.unrecorded() > 0) {
        throw cmd::Failure(cmd::Exit::io_error, "not every response was recorded",
                           "see the warnings above for the reason");
    }
    return signal == 0 ? cmd::Exit::done : 128 + signal;
}

/// The hint for an error of a recording in DIR, or of a file of TLS.
std::string recording_hint(const sse::Error& e) {
    switch (e.reason()) {
    case sse::Reason::not_a_recording:
    case sse::Reason::empty_recording:
        return "remove that file from the directory, or use --mode all";
    case sse::Reason::newer_version: return "install a newer version of sse";
    default: return cmd::hint_for(e.code());
    }
}

int run_with_hints(const RecordOptions& o) {
    try {
        return run(o);
    } catch (const sse::Error& e) {
        throw cmd::Failure(cmd::exit_status(e.code()), e.what(), recording_hint(e));
    }
}

constexpr auto record_examples =
    "  $ sse record https://api.example DIR              record a program's traffic\n"
    "  $ sse replay DIR                                  play it without the server\n"
    "  $ sse record --mode new https://api.example DIR   record new requests only\n"
    "  $ sse record --mask-json /user :8000 DIR          mask a value in JSON bodies\n"
    "  $ sse record --mode once https://api.example DIR  record only once\n";

} // namespace

void cmd::add_record(CLI::App& command, Run& chosen) {
    set_help(command, record_examples);
    const auto options =
        std::make_shared<RecordOptions>(); // CLI11 binds by address: outlive the parse
    add_options(command, *options);
    command.callback(
        [options, &chosen] { chosen = [options] { return run_with_hints(*options); }; });
}
