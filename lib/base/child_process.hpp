// A command that runs beside us, with its standard output as a pipe of ours.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sse {

/// Runs in a process group of its own, so that what it starts can be ended with it. Its stderr is
/// ours; so is its stdin, unless that is a terminal, which only a foreground group may read. Used
/// on one thread, which must outlive it (on Linux a child is told when the thread that made it
/// ends).
class Child {
public:
    /// Throws std::system_error (`cannot run NAME: ...`).
    explicit Child(const std::vector<std::string>& command);
    /// Ends it, with no grace, if it has not ended.
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// The pipe; readable, and at its end once nobody of the group can write to it any more.
    int output() const { return output_; }
    /// Its exit status as a shell has it (128 + signal), once it has ended.
    std::optional<int> status();
    /// Tells the group to end (SIGTERM), and makes it (SIGKILL) if it has not within `grace`.
    void end(std::chrono::milliseconds grace);

private:
    void reap(int flags);

    pid_t pid_ = -1;
    int output_ = -1;
    std::optional<int> status_;
};

/// The file that running `name` would run. Throws std::system_error if there is none that may be.
std::string find_program(const std::string& name);

} // namespace sse
