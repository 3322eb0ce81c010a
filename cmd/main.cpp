// sse: parse the command line, run what it chose, report what went wrong.
#include "cmd/command.hpp"
#include "cmd/stdout_text.hpp"
#include "cmd/terminal_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <fmt/format.h>
#include <iostream>
#include <string_view>
#include <system_error>

namespace {

int fail(int status, const std::string& what, const std::string& hint) {
    cmd::write_above(cmd::message_line("error", what) +
                     (hint.empty() ? std::string() : cmd::message_line("hint", hint)));
    return status;
}

/// CLI11's exceptions are help, version, or a mistake; its own exit codes start at 100.
int explain(const CLI::App& app, const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) { // help and version
        errno = 0;
        app.exit(e);
        if (std::cout.flush()) return cmd::Exit::done;
        const auto failure = cmd::stdout_failure(errno);
        return errno == EPIPE ? cmd::Exit::done
                              : fail(failure.status(), failure.what(), failure.hint());
    }
    std::string what = e.what();
    const auto is_upper = [&](std::size_t i) {
        return std::isupper(static_cast<unsigned char>(what[i]));
    };
    if (what.size() > 1 && !is_upper(1)) // "URL is required" begins with a name
        what[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(what[0])));
    while (!what.empty() && (what.back() == '\n' || what.back() == '.')) what.pop_back();
    const auto chosen = app.get_subcommands();
    const auto name = chosen.empty() ? std::string("sse") : "sse " + chosen.front()->get_name();
    return fail(cmd::Exit::usage, what, fmt::format("{} --help lists what there is", name));
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

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an answer of write(), not a death
    hold_standard_descriptors();
    CLI::App app("Server-Sent Events on the command line", "sse");
    // As curl does, so that what an alias or a script gives can be given anew behind it.
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.set_version_flag("-V,--version", "sse " SSE_VERSION);
    app.require_subcommand(1);
    app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
    cmd::Run run;
    const auto end = argv + argc;
    const auto dashes = command_of(argv + 1, end);
    cmd::add_serve(app, run, {dashes == end ? end : dashes + 1, end});
    cmd::add_tail(app, run);
    cmd::add_replay(app, run);
    if (dashes != end && dashes + 1 == end)
        return fail(cmd::Exit::usage, "no command behind --", "sse serve -- COMMAND ARGUMENTS");
    try {
        app.parse(static_cast<int>(dashes - argv), argv);
    } catch (const CLI::ParseError& e) {
        return explain(app, e);
    }
    try {
        return run();
    } catch (const cmd::Failure& e) {
        return fail(e.status(), e.what(), e.hint());
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
