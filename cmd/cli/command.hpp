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

/// Exit statuses: 0 to 3 are sse's own, 6 to 60 are curl's, 130 and 143 are 128 + signal.
enum Exit : int {
    done = 0,
    incomplete = 1, ///< the stream ended before --count, --until or --until-data was met
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

/// A general hint, for a failure that came without one.
std::string hint_for(sse::Errc code);
std::string hint_for(const std::error_code& code);

/// A failure with its exit status. main prints `sse: error: WHAT` and, unless the hint is empty,
/// `sse: hint: HINT`.
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

/// The chosen command, ready to run; returns the exit status. CLI11 calls back during its parse, so
/// the callback only sets this.
using Run = std::function<int()>;

/// Declare the options of a command in `command`, which then chooses it. `sse serve -- PROGRAM`:
/// `program` holds the arguments after `--`.
void add_serve(CLI::App& command, Run& chosen, std::vector<std::string> program);
void add_tail(CLI::App& command, Run& chosen);
void add_replay(CLI::App& command, Run& chosen);
void add_record(CLI::App& command, Run& chosen);
void add_check(CLI::App& command, Run& chosen);
void add_bench(CLI::App& command, Run& chosen);

/// `sse: KIND: text` as one line. Control characters in `text` are escaped, so that a name in it
/// cannot add lines or control a terminal.
std::string message_line(const char* kind, const std::string& text);

/// Print `sse: warning: text` or `sse: note: text` as one line on stderr. Any thread.
void warn(const std::string& text);
void note(const std::string& text);

} // namespace cmd
