// sse: parse the command line, run what it chose, report what went wrong.
#include "cmd/command.hpp"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <fmt/format.h>
#include <system_error>

namespace {

int fail(int status, const std::string& what, const std::string& hint) {
    fmt::print(stderr, "sse: error: {}\n", what);
    if (!hint.empty()) fmt::print(stderr, "sse: hint: {}\n", hint);
    return status;
}

/// CLI11's exceptions are help, version, or a mistake; its own exit codes start at 100.
int explain(const CLI::App& app, const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e); // help and version, on stdout
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

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN); // a closed pipe is an answer of write(), not a death
    CLI::App app("Server-Sent Events on the command line", "sse");
    app.set_version_flag("-V,--version", "sse " SSE_VERSION);
    app.require_subcommand(1);
    app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });
    cmd::Run run;
    cmd::add_serve(app, run);
    cmd::add_tail(app, run);
    cmd::add_replay(app, run);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return explain(app, e);
    }
    try {
        return run();
    } catch (const cmd::Failure& e) {
        return fail(e.status(), e.what(), e.hint());
    } catch (const sse::Error& e) {
        return fail(cmd::exit_status(e.code()), e.what(), "");
    } catch (const std::system_error& e) {
        return fail(cmd::Exit::io_error, e.what(), "");
    } catch (const std::bad_alloc&) {
        return fail(cmd::Exit::io_error, "out of memory", "");
    } catch (const std::exception& e) {
        return fail(cmd::Exit::io_error, e.what(), "this is a bug in sse: please report it");
    }
}
