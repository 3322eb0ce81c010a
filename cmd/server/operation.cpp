#include "cmd/server/operation.hpp"

#include "base/posix.hpp"
#include "base/printable.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/server/listen.hpp"
#include "cmd/term/terminal_line.hpp"
#include "net/confine.hpp"
#include "net/drop_privileges.hpp"
#include "net/systemd.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string count(std::uint64_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

void notify_manager(std::string_view state) { sse::notify(std::getenv("NOTIFY_SOCKET"), state); }

} // namespace

void add_operation_options(CLI::App& app, OperationOptions& o) {
    const auto group = "Running";
    with_example(
        app.add_option("--admin", o.admin,
                       "Serve /healthz, /readyz and /metrics (Prometheus) on this address"),
        "127.0.0.1:9090")
        ->type_name("ADDRESS")
        ->group(group);
    with_example(app.add_option(
                     "--access-log", o.access_log,
                     "Append a JSON object for each closed connection to this file; - is standard "
                     "error; SIGHUP reopens it"),
                 "access.log")
        ->type_name("FILE")
        ->group(group);
    with_example(app.add_option("--user", o.user,
                                "Switch from root to NAME[:GROUP] once the server listens"),
                 "www-data")
        ->type_name("NAME")
        ->group(group);
}

Operation::Operation(const OperationOptions& options, sse::Server& server,
                     const sse::CountsSource& counts)
    : options_(options)
    , server_(server)
    , counts_(counts)
    , started_(Clock::now())
    , admin_(server, counts)
    , rate_{started_, 0, 0} {
    if (!options.user.empty())
        sse::forbid_new_privileges(); // before the first thread: it is per thread
    if (!options.access_log.empty()) {
        try {
            sse::AccessLogOptions log;
            if (options.access_log != "-") {
                options.files->add(options.access_log, sse::GivenFiles::Use::append);
                log.reopen = [this](const std::string& path) {
                    return options_.files->open(path, sse::GivenFiles::Use::append);
                };
            }
            log_.emplace(options.access_log, warn, log);
        } catch (const std::system_error& e) {
            throw Failure(Exit::io_error, e.what(), "give --access-log a file that can be created");
        }
        server.set_access_log(*log_);
        server.on_signal(SIGHUP, [this] { log_->reopen(); });
    }
    server.on_warning(warn);
    // Before the announcement: from then on SIGUSR1 must not end the process.
    server.on_signal(SIGUSR1, [this] { print_state(); });
    listen_admin();
}

Operation::~Operation() = default;

void Operation::listen_admin() {
    try {
        auto sockets = sse::adopt_passed_sockets(
            {std::getenv("LISTEN_FDS"), std::getenv("LISTEN_PID"), std::getenv("LISTEN_FDNAMES")},
            true);
        if (sockets.empty() && !options_.admin.empty()) sockets = sse::listen_on(options_.admin);
        print_addresses("admin", server_.adopt_admin(std::move(sockets), admin_), "/");
    } catch (const std::system_error& e) {
        throw Failure(Exit::cannot_connect, e.what(),
                      e.code().value() == EMFILE ? hint_for(e.code())
                                                 : "choose another address with --admin");
    } catch (const sse::Error& e) {
        throw Failure(
            exit_status(e.code()), e.what(),
            "--admin takes an address such as 127.0.0.1:9090, [::1]:0, :9090 or unix:/path");
    }
}

void Operation::drop_privileges() {
    if (options_.user.empty()) return;
    try {
        const auto user = sse::resolve_user(options_.user);
        // Files that are opened or removed again by name: the log on SIGHUP, the sockets at exit.
        auto ours = options_.own_files;
        if (log_ && options_.access_log != "-") ours.push_back(options_.access_log);
        for (const auto& path : server_.socket_paths()) ours.push_back(path);
        for (const auto& path : ours) {
            if (::geteuid() == 0 && ::lchown(path.c_str(), user.uid, user.gid) != 0)
                warn(fmt::format("cannot change the owner of {} to {}", path, user.name));
        }
        if (::geteuid() == 0) options_.files->keep_root();
        sse::drop_privileges(user);
    } catch (const std::system_error& e) {
        throw Failure(Exit::usage, e.what(),
                      "run as root to use --user, or remove it to keep the current user");
    } catch (const sse::Error& e) {
        throw Failure(exit_status(e.code()), e.what(),
                      "give --user a NAME or NAME:GROUP, such as www-data:adm");
    }
}

void Operation::begin() {
    drop_privileges();
    server_.on_stop([] { notify_manager("STOPPING=1"); });
    notify_manager("READY=1");
    if (const auto interval =
            sse::watchdog_interval(std::getenv("WATCHDOG_USEC"), std::getenv("WATCHDOG_PID"))) {
        server_.every(*interval, [] { notify_manager("WATCHDOG=1"); });
    }
}

void Operation::settle(Programs programs, const std::string& directory,
                       std::optional<std::vector<std::string>> files) {
    if (programs == Programs::none) confine(directory, std::move(files));
    // The access log and the status line cannot share a terminal.
    if (has_terminal_line() && options_.access_log != "-")
        line_ = std::make_unique<TerminalLine>([this] { return status(); });
}

void Operation::confine(const std::string& changed, std::optional<std::vector<std::string>> read) {
    const auto directory_of = [](const std::string& path) {
        const auto directory = std::filesystem::path(path).parent_path();
        return directory.empty() ? std::string(".") : directory.string();
    };
    if (read) {
        for (auto& file : options_.files->readable()) read->push_back(std::move(file));
        if (!changed.empty()) read->push_back(changed + "/.");
    }
    sse::Confinement own{{}, std::move(read)};
    for (const auto& path : server_.socket_paths()) // removed at the end
        own.writable.push_back(directory_of(path));
    if (log_) {
        sse::Confinement log;
        // Its file may be created again, and be a link to anywhere.
        std::error_code error; // of a directory that only root may search
        if (options_.access_log != "-")
            log.writable.push_back(std::filesystem::is_symlink(options_.access_log, error)
                                       ? "/"
                                       : directory_of(options_.access_log));
        log_->on_thread([log] { sse::confine_thread(log); });
    }
    if (!changed.empty()) own.writable.push_back(changed);
    sse::confine_thread(own);
}

void Operation::end() {
    line_.reset();
    notify_manager("STOPPING=1");
    const auto server = server_.counts();
    if (const auto totals = counts_.totals(); !totals.empty()) {
        write_above(fmt::format("sse: {}; {}, {} sent, {:.1f} s\n", totals,
                                count(server.connects, "connection"), count(server.bytes, "byte"),
                                seconds_since(started_)));
        return;
    }
    const auto hub = counts_.counts();
    write_above(fmt::format("sse: served {} to {}: {}, {} missed, {} sent, {:.1f} s\n",
                            count(hub.events, "event"), count(server.connects, "connection"),
                            hub.deliveries == 1 ? "1 delivery"
                                                : fmt::format("{} deliveries", hub.deliveries),
                            hub.missed, count(server.bytes, "byte"), seconds_since(started_)));
}

void Operation::print_state() const {
    const auto server = server_.counts();
    const auto hub = counts_.counts();
    note(fmt::format("up {:.0f} s{}: {} now, {}, {} in total", seconds_since(started_),
                     server_.stopping() ? ", draining" : "", count(server.clients, "client"),
                     count(server.streams, "stream"), count(server.connects, "connection")));
    note(fmt::format("{} published, {} deliveries, {} missed, {} sent", count(hub.events, "event"),
                     hub.deliveries, hub.missed, count(server.bytes, "byte")));
    note(fmt::format("history of {} in {}; {} behind, the slowest by {}",
                     count(hub.history_events, "event"), count(hub.history_bytes, "byte"),
                     count(hub.behind, "subscriber"), count(hub.lag, "event")));
    std::string refused;
    for (std::size_t i = 1; i < server.refusals.size(); ++i) {
        if (server.refusals[i] > 0)
            refused += fmt::format("{} {} {}", refused.empty() ? "" : ",", sse::refusal_names[i],
                                   server.refusals[i]);
    }
    if (!refused.empty()) note(fmt::format("refused:{}", refused));
    constexpr std::size_t few = 20;
    const auto channels = counts_.by_channel();
    if (channels.size() < 2) return;
    note(count(channels.size(), "channel"));
    for (std::size_t i = 0; i < channels.size() && i < few; ++i) {
        const auto& own = channels[i].second;
        note(fmt::format("channel {}: {}, {}", sse::printable(channels[i].first, 80),
                         count(own.subscribers, "subscriber"), count(own.events, "event")));
    }
}

std::string Operation::status() {
    const auto server = server_.counts();
    const auto hub = counts_.counts();
    const auto position = counts_.position();
    if (!position.empty()) {
        return fmt::format("{}, {}, {}{}", position, count(server.clients, "client"),
                           count(hub.events, "event"), server_.stopping() ? ", draining" : "");
    }
    const auto now = Clock::now();
    if (now - rate_.since >= std::chrono::seconds(1)) {
        rate_.per_second = static_cast<double>(hub.events - rate_.events) /
                           std::chrono::duration<double>(now - rate_.since).count();
        rate_.since = now;
        rate_.events = hub.events;
    }
    return fmt::format("{}, {}, {:.0f}/s, slowest {} behind{}", count(server.clients, "client"),
                       count(hub.events, "event"), rate_.per_second, hub.lag,
                       server_.stopping() ? ", draining" : "");
}

} // namespace cmd
