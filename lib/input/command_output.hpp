// What a command prints, as an input.
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
    /// Start it again whenever it ends.
    bool restart = false;
    /// Before it is started again; twice as long each time that it ends soon.
    std::chrono::milliseconds restart_delay{100};
    /// The longest such wait.
    std::chrono::milliseconds max_restart_delay{30'000};
    /// Once it has run for so long, the next wait is a first one.
    std::chrono::milliseconds healthy_after{10'000};
    /// Between telling its group to end and making it.
    std::chrono::milliseconds kill_grace{2'000};
    /// Bytes of one read.
    std::size_t read_bytes = 256 * 1024;
};

/// Runs the command while run() does. Its output ends when nobody can write to it any more, and the
/// input when the command has ended, too.
class CommandOutput : public ByteSource {
public:
    /// Throws std::system_error if there is no such program.
    CommandOutput(std::vector<std::string> command, CommandOptions options = {});

    bool run(Sink& sink) override;
    void stop() override { wake_.set(); }
    const std::string& name() const override { return name_; }
    /// How it ended, as a shell has it; 0 if stop() ended it. After run().
    int status() const { return status_; }

private:
    bool run_once(Sink& sink);
    bool drain(int fd, Sink& sink);
    bool wait(std::chrono::milliseconds time);

    std::vector<std::string> command_;
    CommandOptions options_;
    std::string name_;
    WakePipe wake_;
    int status_ = 0;
};

} // namespace sse
