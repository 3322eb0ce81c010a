// A command that runs as a child process, with pipes to it. Not a shell: takes words, no line.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace sse {

struct ChildOptions {
    /// Its standard input is a pipe from us. Without one it shares ours, unless that is a terminal,
    /// which only a foreground process group may read: then it reads /dev/null.
    bool pipe_input = false;
    enum class Output {
        shared,   ///< it writes to our standard output
        pipe,     ///< a pipe to us
        terminal, ///< a pseudo-terminal in raw mode that we read
    };
    Output output = Output::shared;
    /// `NAME=value` variables of its environment besides those of ours.
    std::vector<std::string> variables;
    /// Names of variables of ours that it does not inherit begin with this; "" for none. Never
    /// inherited are those that carry our secrets and our service manager's sockets (SSE_TOKEN,
    /// SSE_PUBLISH_TOKEN, NOTIFY_SOCKET, LISTEN_FDS and others).
    std::string hidden_prefix;
};

/// Runs in a process group of its own, so that the processes that it starts can be ended with it.
/// Inherits no descriptor but the standard ones. On Linux it receives SIGTERM when the thread that
/// made it ends. send() and process group signals on any thread while status() and end() are not
/// running; all else on one thread at a time.
class Child {
public:
    /// Throws std::system_error (`cannot run NAME: ...`).
    explicit Child(const std::vector<std::string>& command, const ChildOptions& options = {});
    /// Kills it, with no grace, if it has not ended.
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// The reading end of its standard output. At its end once no process can write to it any more;
    /// read(2) of a pseudo-terminal then fails with EIO.
    int output() const { return output_; }
    /// Writes to its standard input until `bytes` are written or it has closed its end, then closes
    /// the pipe. SIGPIPE must be ignored.
    void write_input(std::string_view bytes);

    /// Its exit status as a shell has it (128 + signal), once it has ended.
    std::optional<int> status();
    /// The signal that ended it, 0 if it exited. After status() gave one.
    int signal() const { return signal_; }
    /// Waits until it has ended. Until status() or end() is called it can still be sent signals.
    void wait() const;
    /// Sends `signal` to its process group.
    void send(int signal) const;
    /// Sends its group SIGTERM, and SIGKILL if it has not ended within `grace`.
    void end(std::chrono::milliseconds grace);

private:
    void reap(int flags);

    pid_t pid_ = -1;
    int input_ = -1, output_ = -1;
    std::optional<int> status_;
    int signal_ = 0;
};

/// The file that running `name` would run. Throws std::system_error if there is none that may be
/// executed.
std::string find_program(const std::string& name);

} // namespace sse
