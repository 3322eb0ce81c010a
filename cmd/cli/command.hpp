// What main and the commands share: the choice of a command, failures, exit statuses, and messages
// on stderr.
#pragma once

#include "base/error.hpp"

#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

/// Exit statuses: ours from 0 to 3, then curl's, then the shell's for signals.
enum Exit : int {
    done = 0,
    incomplete = 1, ///< ended without what --until or --count wanted
    usage = 2,
    bad_input = 3,
    cannot_resolve = 6,
    cannot_connect = 7,
    http_error = 22,
    io_error = 23,
    timed_out = 28,
    tls_failed = 35,
    receive_failed = 56,
    certificate_refused = 60,
    interrupted = 130,
    terminated = 143,
};
int exit_status(sse::Errc code);
/// The way out where the one who failed named none: in general terms.
std::string hint_for(sse::Errc code);
std::string hint_for(const std::error_code& code);

/// A failure with its way out: main prints `sse: error: what` and, if there is one, `sse: hint:
/// hint`.
class Failure : public std::runtime_error {
public:
    Failure(int status, const std::string& what, std::string hint = {})
        : std::runtime_error(what)
        , status_(status)
        , hint_(std::move(hint)) {}
    int status() const { return status_; }
    const std::string& hint() const { return hint_; }

private:
    int status_;
    std::string hint_;
};

/// What the command line chose; returns the exit status. CLI11 calls back inside its parse, so the
/// callback only sets this.
using Run = std::function<int()>;

/// `command` is what stood behind `--`.
void add_serve(CLI::App& app, Run& chosen, std::vector<std::string> command);
void add_tail(CLI::App& app, Run& chosen);
void add_replay(CLI::App& app, Run& chosen);

/// `sse: KIND: text`, a whole line: whatever a name in it holds, it is one, and tells a terminal
/// nothing.
std::string message_line(const char* kind, const std::string& text);

/// `sse: warning: text` and `sse: note: text` on stderr, each as one whole line.
void warn(const std::string& text);
void note(const std::string& text);

} // namespace cmd
