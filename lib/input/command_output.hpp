// The standard output of a command as an input.
#pragma once

#include "base/child_process.hpp"
#include "base/wake_pipe.hpp"
#include "input/byte_source.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace sse {

struct CommandOptions {
    /// Start the command again whenever it ends.
    bool restart = false;
    /// Wait before a restart; doubles while the command ends within `healthy_after`.
    std::chrono::milliseconds restart_delay{100};
    /// The longest wait before a restart.
    std::chrono::milliseconds max_restart_delay{30'000};
    /// A command that has run this long is healthy: the next wait is `restart_delay` again.
    std::chrono::milliseconds healthy_after{10'000};
    /// Time between SIGTERM and SIGKILL for its process group.
    std::chrono::milliseconds kill_grace{2'000};
    /// Its standard output is a pseudo-terminal instead of a pipe. Most programs write each line at
    /// once to a terminal, but blocks of some KiB to a pipe.
    bool terminal = false;
    /// A command that has written nothing for this long causes a note, once.
    std::chrono::milliseconds quiet_note{10'000};
    /// Bytes of one read.
    std::size_t read_bytes = 256 * 1024;
};

/// Runs the command during run(). Its output ends when no process can write to it any more; the
/// input ends when the command has ended as well.
class CommandOutput : public ByteSource {
public:
    /// Throws std::system_error if there is no such program.
    CommandOutput(std::vector<std::string> command, CommandOptions options = {});

    bool run(Sink& sink) override;
    void stop() override { wake_.set(); }
    const std::string& name() const override { return name_; }
    /// The exit status as a shell has it; 0 if stop() ended it. After run().
    int status() const { return status_; }

private:
    bool run_once(Sink& sink);
    bool drain(int fd, Sink& sink);
    void note_quiet(Sink& sink);
    bool wait(std::chrono::milliseconds time);

    std::vector<std::string> command_;
    CommandOptions options_;
    std::string name_;
    WakePipe wake_;
    bool has_written_ = false; ///< or the note about a quiet command was given
    int status_ = 0;
};

} // namespace sse
