// sse: parse the command line, run what it chose, report what went wrong.
#include "cmd/cli/arguments.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/help.hpp"
#include "cmd/cli/output.hpp"
#include "cmd/cli/usage.hpp"
#include "cmd/term/terminal_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

int fail(int status, const std::string& what, const std::string& hint) {
    cmd::write_above(cmd::message_line("error", what) +
                     (hint.empty() ? std::string() : cmd::message_line("hint", hint)));
    return status;
}

int fail(const cmd::Failure& failure) {
    return fail(failure.status(), failure.what(), failure.hint());
}

/// Help and version, which are data: a full disk under them is told.
int show(const CLI::App& app, const CLI::ParseError& e) {
    errno = 0;
    app.exit(e);
    if (std::cout.flush()) return cmd::Exit::done;
    const auto failure = cmd::stdout_failure(errno);
    return errno == EPIPE ? cmd::Exit::done : fail(failure);
}

/// Takes the places of closed ones, or the next file or socket would, and be written to. Each is
/// open the wrong way round, so that using it is still an error.
void hold_standard_descriptors() {
    for (int fd = 0; fd < 3; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
    }
}

/// What follows `--` behind `sse serve` is a command: its flags are not ours to parse.
char** command_of(char** begin, char** end) {
    const auto is_word = [](const char* arg) { return arg[0] != '-'; };
    const auto name = std::find_if(begin, end, is_word);
    const auto is_dashes = [](std::string_view arg) { return arg == "--"; };
    return name != end && std::string_view(*name) == "serve" ? std::find_if(name, end, is_dashes)
                                                             : end;
}

constexpr auto examples =
    "  $ make 2>&1 | sse serve             put what a command says on the web\n"
    "  $ sse tail https://host/events      read any stream\n"
    "  $ sse replay run.jsonl              play a recording back, with its timing\n";

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an answer of write(), not a death
    hold_standard_descriptors();
    CLI::App app("Server-Sent Events on the command line", "sse");
    // As curl does, so that what an alias or a script gives can be given anew behind it.
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    cmd::set_help(app, examples);
    app.set_help_flag("-h,--help", "Say what there is; sse help COMMAND says it of a command");
    app.set_version_flag("-V,--version", cmd::version_text,
                         "Say which version this is, and of which libraries");
    app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
    cmd::Run run;
    const auto end = argv + argc;
    const auto dashes = command_of(argv + 1, end);
    cmd::add_serve(app, run, {dashes == end ? end : dashes + 1, end});
    cmd::add_tail(app, run);
    cmd::add_replay(app, run);
    if (dashes != end && dashes + 1 == end)
        return fail(cmd::Exit::usage, "no command behind --", "sse serve -- COMMAND ARGUMENTS");
    for (auto* command : app.get_subcommands({})) cmd::reject_empty_values(*command);
    try {
        app.parse(cmd::words_of(app, argv + 1, dashes));
    } catch (const CLI::ParseError& e) {
        // but not the help of a command that there is not
        if (e.get_exit_code() == 0 && app.remaining().empty()) return show(app, e);
        return fail(cmd::misuse(app, e));
    }
    if (!run) return fail(cmd::no_command());
    try {
        return run();
    } catch (const cmd::Failure& e) {
        return fail(e);
    } catch (const sse::Error& e) {
        return fail(cmd::exit_status(e.code()), e.what(), cmd::hint_for(e.code()));
    } catch (const std::system_error& e) {
        return fail(cmd::Exit::io_error, e.what(), cmd::hint_for(e.code()));
    } catch (const std::bad_alloc&) {
        return fail(cmd::Exit::io_error, "out of memory",
                    "lower a bound: --history-bytes, --max-event-bytes or --max-clients");
    } catch (const std::exception& e) {
        return fail(cmd::Exit::io_error, e.what(), "this is a bug in sse: please report it");
    }
}
