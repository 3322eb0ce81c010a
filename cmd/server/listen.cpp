#include "cmd/server/listen.hpp"

#include "base/output_file.hpp"
#include "base/printable.hpp"
#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/server/access.hpp"
#include "cmd/term/terminal_line.hpp"
#include "net/send_ring.hpp"
#include "net/socket.hpp"
#include "net/systemd.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <string_view>
#include <system_error>
#include <unistd.h>

namespace cmd {

namespace {

const std::map<std::string, sse::Busy> busy_choices = {{"503", sse::Busy::status},
                                                       {"retry", sse::Busy::retry}};

const std::map<std::string, sse::SendIo> io_choices = {
    {"auto", sse::SendIo::automatic}, {"send", sse::SendIo::send}, {"uring", sse::SendIo::uring}};

} // namespace

void add_io_option(CLI::App& app, sse::ServerOptions& o) {
    add_choice(
        app, "--io", o.io, io_choices,
        "Send an event to many clients with one system call (uring, Linux 6.1 or later), with one "
        "per client (send), or with uring if the kernel allows it and there are enough clients "
        "(auto)")
        ->group("HTTP");
}

void add_listen_options(CLI::App& app, sse::ServerOptions& o, std::string& port_file) {
    const auto group = "HTTP";
    app.add_option(
           "--listen", o.listen,
           "Listen on HOST:PORT, [IPv6]:PORT, :PORT (all interfaces) or unix:PATH; repeatable")
        ->default_str(o.listen.front())
        ->type_name("ADDRESS")
        ->group(group);
    with_example(app.add_option("--port-file", port_file,
                                "Write the port number to this file once the server listens"),
                 "port")
        ->type_name("FILE")
        ->group(group);
    with_example(add_number<std::size_t>(app, "--threads", o.threads, 1, "Run N event loops", 256),
                 "4")
        ->group(group);
    add_number(app, "--backlog", o.sockets.backlog, 1,
               "Let up to N connections wait to be accepted; the kernel may lower this number",
               1 << 20)
        ->group(group);
    const auto store_proxies = [&o](const std::vector<std::string>& networks) {
        for (const auto& text : networks) {
            if (text == "unix") {
                o.trusted_proxies.unix_sockets = true;
                continue;
            }
            const auto network = sse::IpNetwork::parse(text);
            if (!network)
                throw CLI::ValidationError(
                    "--trusted-proxy",
                    fmt::format("\"{}\" is neither a network such as 10.0.0.0/8 nor unix",
                                sse::printable(text, 60)));
            o.trusted_proxies.networks.push_back(*network);
        }
    };
    with_example(app.add_option_function<std::vector<std::string>>(
                     "--trusted-proxy", store_proxies,
                     "Take the client address from X-Forwarded-For or Forwarded if the request "
                     "comes from a proxy in this network (unix: on a unix socket); repeatable"),
                 "10.0.0.0/8")
        ->type_name("CIDR")
        ->group(group);
    const auto store_mode = [&o](const std::string& text) {
        unsigned mode = 0;
        const auto* const end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data(), end, mode, 8);
        if (parsed.ec != std::errc() || parsed.ptr != end || mode > 0777)
            throw CLI::ValidationError(
                "--socket-mode",
                fmt::format("\"{}\" is not a mode such as 0660", sse::printable(text, 60)));
        o.sockets.mode = mode;
    };
    with_example(app.add_option_function<std::string>(
                     "--socket-mode", store_mode,
                     "Permissions of unix sockets, such as 0660 (default: set by the umask)"),
                 "0660")
        ->type_name("MODE")
        ->group(group);

    const auto limits = "Limits";
    add_number<std::size_t>(app, "--max-clients", o.max_clients, 1,
                            "Accept up to N connections at once; refuse more with 503")
        ->group(limits);
    add_number<std::size_t>(
        app, "--max-clients-per-address", o.max_clients_per_address, 0,
        "Accept up to N connections at once from one address or IPv6 /64 network (default 0: no "
        "limit)")
        ->group(limits);
    add_choice(app, "--busy", o.busy, busy_choices,
               "Refuse a client beyond --max-clients or --max-clients-per-address with status 503, "
               "or with an event stream that makes an EventSource retry later")
        ->group(limits);
    add_size(app, "--max-head-bytes", o.request.max_head_bytes, 256, 1 << 20,
             "Refuse a larger request head with 431")
        ->group(limits);
    add_needed_limit(app, "--head-timeout", o.head_timeout,
                     "Time for a client to send a complete request head")
        ->group(limits);
    add_size(app, "--max-body-bytes", o.request.max_body_bytes, 0,
             std::numeric_limits<std::size_t>::max(), "Refuse a larger request body with 413")
        ->group(limits);
    add_needed_limit(app, "--body-timeout", o.body_timeout,
                     "Time for a client to send a complete request body after the head")
        ->group(limits);
    add_needed_limit(app, "--idle-timeout", o.idle_timeout,
                     "Close a connection on which no request arrives for this long")
        ->group(limits);
    add_needed_limit(app, "--stall-timeout", o.stall_timeout,
                     "Disconnect a client that accepts no data for this long")
        ->group(limits);
    add_duration(app, "--max-stream-time",
                 "End a stream after this long, or up to 10% earlier, so that its client "
                 "reconnects (default: no limit)",
                 "",
                 [&o](auto value) {
                     o.max_stream_time = std::chrono::ceil<std::chrono::milliseconds>(value);
                 })
        ->group(limits);
    add_duration(app, "--grace", o.grace, "Time for open streams to finish after SIGTERM")
        ->group(limits);
}

namespace {

/// The port of a listener's URL, or the path of a unix socket.
std::string port_of(const std::string& url) {
    if (url.starts_with("unix:")) return url.substr(5);
    const auto begin = url.rfind(':') + 1;
    return url.substr(begin, url.size() - begin - 1);
}

/// At once: a script may be waiting for the file to appear.
void write_port_file(const std::string& file, const std::string& url) {
    try {
        sse::replace_file(file, port_of(url) + "\n");
    } catch (const std::system_error& e) {
        throw Failure(Exit::io_error, e.what(), "give --port-file a file that can be created");
    }
}

/// `url` with the name of this machine, for use from other machines; "" if it has no name.
std::string url_from_elsewhere(std::string url) {
    char name[256] = {};
    if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "";
    if (std::string_view(name) == "localhost") return "";
    const auto host = url.find("://") + 3;
    return url.replace(host, url.rfind(':') - host, name);
}

/// Descriptors for everything but clients: listeners, files, pipes of loops and commands.
constexpr std::size_t reserved_descriptors = 64;

} // namespace

void listen(sse::Server& server, const sse::ServerOptions& options,
            std::size_t descriptors_of_client) {
    if (const auto& uring = sse::SendRing::support();
        options.io == sse::SendIo::uring && !uring.available) {
        throw Failure(Exit::io_error, "cannot use io_uring: " + uring.reason,
                      "remove --io uring; without it, sse sends with send(2)");
    }
    load_tls(server, options.tls);
    try {
        auto passed = sse::adopt_passed_sockets(
            {std::getenv("LISTEN_FDS"), std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDNAMES")},
            false);
        if (passed.empty()) server.listen();
        else server.adopt(std::move(passed));
    } catch (const std::system_error& e) {
        const bool taken = e.code() == std::errc::address_in_use;
        const bool denied = e.code() == std::errc::permission_denied;
        const bool no_descriptor = e.code().value() == EMFILE || e.code().value() == ENFILE;
        throw Failure(
            Exit::cannot_connect, e.what(),
            taken           ? "choose another address with --listen, or port 0 for any free port"
            : no_descriptor ? hint_for(e.code())
            : denied
                ? "ports below 1024 need root; choose another with --listen"
                : "--listen takes an address of this machine, such as 127.0.0.1:8080 or :8080");
    } catch (const sse::Error& e) {
        throw Failure(
            exit_status(e.code()), e.what(),
            "--listen takes an address such as 127.0.0.1:8080, [::1]:0, :8080 or unix:/path");
    }
    const auto descriptors = sse::raise_descriptor_limit();
    const auto room = descriptors - std::min(descriptors, reserved_descriptors);
    if (room / descriptors_of_client < options.max_clients) {
        note(fmt::format(
            "a limit of {} file descriptors is too low for {} clients{}; raise the hard "
            "limit (LimitNOFILE=) or lower --max-clients",
            descriptors, options.max_clients,
            descriptors_of_client == 1 ? ""
                                       : fmt::format(" that need {} each", descriptors_of_client)));
    }
}

void print_addresses(const char* word, const std::vector<sse::ServerAddress>& addresses,
                     const std::string& path) {
    const auto at = [&](const std::string& url) { return url + path.substr(1); };
    for (const auto& [url, all_interfaces] : addresses)
        write_above(fmt::format("sse: {} {}\n", word, url.starts_with("unix:") ? url : at(url)));
    for (const auto& [url, all_interfaces] : addresses) {
        if (!all_interfaces) continue;
        const auto other = url_from_elsewhere(url);
        note(fmt::format("port {} is reachable from every network of this machine{}{}",
                         port_of(url), other.empty() ? "" : ", as ",
                         other.empty() ? "" : at(other)));
    }
}

void announce(sse::Server& server, const std::string& path, const std::string& port_file) {
    const auto addresses = server.addresses();
    if (!port_file.empty()) write_port_file(port_file, addresses.front().url);
    print_addresses("serving", addresses, path);
}

} // namespace cmd
