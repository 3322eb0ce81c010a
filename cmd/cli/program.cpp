#include "cmd/cli/program.hpp"

#include "cmd/cli/arguments.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/init_process.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/cli/usage.hpp"
#include "cmd/term/terminal_line.hpp"
#include "net/name_service.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace cmd {

namespace {

int fail(int status, const std::string& what, const std::string& hint) {
    write_above(message_line("error", what) +
                (hint.empty() ? std::string() : message_line("hint", hint)));
    return status;
}

int fail(const Failure& failure) { return fail(failure.status(), failure.what(), failure.hint()); }

/// Prints help or version on standard output, and reports a failed write.
int show(const CLI::App& app, const CLI::ParseError& e) {
    errno = 0;
    app.exit(e);
    if (std::cout.flush()) return Exit::done;
    const auto failure = stdout_failure(errno);
    return errno == EPIPE ? Exit::done : fail(failure);
}

/// Opens /dev/null for each standard descriptor that is closed, so that no later file or socket
/// gets its number. It is opened in the wrong mode: reading standard input or writing the others
/// still fails. So does the root directory, if there is no /dev/null.
void hold_standard_descriptors() {
    for (int fd = 0; fd < 3; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) continue;
        if (::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) ::open("/", O_RDONLY);
    }
}

/// The `--` of `sse serve ... -- COMMAND`, or `end`: the flags of COMMAND are not parsed.
char** command_of(char** begin, char** end) {
    const auto is_word = [](const char* arg) { return arg[0] != '-'; };
    const auto name = std::find_if(begin, end, is_word);
    const auto is_dashes = [](std::string_view arg) { return arg == "--"; };
    return name != end && std::string_view(*name) == "serve" ? std::find_if(name, end, is_dashes)
                                                             : end;
}

struct Command {
    const char* name;
    const char* description;
    std::function<void(CLI::App&, Run&)> add_options;
};

/// The commands, of which `program` holds the arguments of `sse serve -- PROGRAM`.
std::vector<Command> commands_with(const std::vector<std::string>& program) {
    return {
        {"serve", "Serve a stream of events over HTTP",
         [program](CLI::App& command, Run& run) { add_serve(command, run, program); }},
        {"tail", "Follow streams and print their events", add_tail},
        {"replay", "Replay recorded streams with their timing", add_replay},
        {"record", "Record a server's responses to any client", add_record},
        {"check", "Find out why a stream arrives late or is cut", add_check},
        {"bench", "Load a server with subscribers, and measure it", add_bench},
    };
}

/// Declares the options of the `commands` of `app` whose names `chosen` returns true for, unless
/// they are declared already. Declaring those of all commands would take longer than many a run.
template <typename Chosen>
void add_options(CLI::App& app, const std::vector<Command>& commands, Run& run, Chosen chosen) {
    for (const auto& each : commands) {
        auto& command = *app.get_subcommand(each.name);
        const bool has_options = command.get_options().size() > 1; // beside --help
        if (has_options || !chosen(each.name)) continue;
        each.add_options(command, run);
        finish_options(command);
    }
}

constexpr auto examples =
    "  $ make 2>&1 | sse serve             publish the output of a command\n"
    "  $ sse tail https://host/events      print the events of a stream\n"
    "  $ sse replay run.jsonl              replay a recording with its timing\n"
    "  $ sse record https://host DIR       record a server for any client\n"
    "  $ sse check https://host/events     find out why a stream arrives late\n";

} // namespace

int run_program(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // write() then returns EPIPE
    hold_standard_descriptors();
    sse::avoid_name_service_modules();
    if (const auto status = run_as_init()) return *status;
    CLI::App app("Server-Sent Events on the command line", "sse");
    // The last value wins, as in curl, so that an option can override the one of an alias.
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    set_help(app, examples);
    app.set_help_flag("-h,--help", "Show this help; sse help COMMAND shows a command's options");
    app.set_version_flag("-V,--version", version_text,
                         "Show the version, libraries and features of this build");
    app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
    Run run;
    const auto end = argv + argc;
    const auto dashes = command_of(argv + 1, end);
    const auto commands = commands_with({dashes == end ? end : dashes + 1, end});
    for (const auto& each : commands)
        app.add_subcommand(each.name, each.description)->group("Commands");
    add_options(app, commands, run,
                [&](std::string_view name) { return std::find(argv + 1, dashes, name) != dashes; });
    if (dashes != end && dashes + 1 == end)
        return fail(Exit::usage, "no command after --",
                    "use the form sse serve -- COMMAND [ARGUMENT]");
    try {
        app.parse(arguments_for(app, argv + 1, dashes));
    } catch (const CLI::ParseError& e) {
        // help was requested, unless for an unknown command
        if (e.get_exit_code() == 0 && app.remaining().empty()) return show(app, e);
        if (dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr) {
            // an unknown option may be one of another command
            add_options(app, commands, run, [](std::string_view) { return true; });
        }
        return fail(usage_error(app, e));
    }
    if (!run) return fail(no_command());
    try {
        return run();
    } catch (const Failure& e) {
        return fail(e);
    } catch (const sse::Error& e) {
        return fail(exit_status(e.code()), e.what(), hint_for(e.code()));
    } catch (const std::system_error& e) {
        return fail(Exit::io_error, e.what(), hint_for(e.code()));
    } catch (const std::bad_alloc&) {
        return fail(Exit::io_error, "out of memory",
                    "lower a limit: --history-bytes, --max-event-bytes or --max-clients");
    } catch (const std::exception& e) {
        return fail(Exit::io_error, e.what(), "this is a bug in sse: please report it");
    }
}

} // namespace cmd
