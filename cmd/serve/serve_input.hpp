// What `sse serve` reads: its flags, its inputs, and the threads that read them.
#pragma once

#include "cmd/cli/shutdown_grace.hpp"
#include "cmd/serve/input_pump.hpp"
#include "cmd/serve/tee.hpp"
#include "hub/channel_recorder.hpp"
#include "input/command_output.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace CLI {
class App;
}

namespace cmd {

struct InputOptions {
    /// Paths; "-" is standard input, and so is none if there is no command.
    std::vector<std::string> files;
    /// What stands behind `--`: its output is an input, too.
    std::vector<std::string> command;
    sse::CommandOptions run;
    /// Something is named.
    bool any() const { return !files.empty() || !command.empty(); }
    /// Files are read on as they grow, are truncated and replaced.
    bool follow = false;
    /// The input is copied to standard output.
    bool tee = false;
    PumpOptions pump;
    /// Where what is served is recorded; "": nowhere.
    std::string record;
    /// Type of a last event once all inputs have ended; "": none.
    std::string end_event;
};

/// A check of CLI11: "" if `type` is one that the format can carry, or else why it is not.
std::string check_type(const std::string& type);
void add_input_options(CLI::App& app, InputOptions& options);

/// The recorder that --record asks for, or nullptr. It waits for who reads a pipe as long as
/// `patience` does, which must outlive it. Throws Failure if its file cannot be made.
std::unique_ptr<sse::ChannelRecorder> record(const InputOptions& options, sse::Channels& channels,
                                             const std::string& channel, ShutdownGrace& grace);

/// All inputs of one server. start() and join() on the thread that made it; stop() on any.
class Inputs {
public:
    /// Opens all of them. Events that name no channel are for `channel`. Throws Failure or
    /// std::system_error for what cannot be read.
    Inputs(const InputOptions& options, sse::Channels& channels, const std::string& channel);
    ~Inputs();

    /// Reads them in their order: a plain file to its end before what stands behind it, while what
    /// has no end of its own (a pipe, a command, a file that is followed) keeps nobody waiting.
    /// `on_end` is called once, on any thread, when all have ended; `failed`: one could not be read
    /// on, which stops the others.
    void start(std::function<void(bool failed)> on_end);
    void stop();
    /// Waits for their end. Throws what made an input fail. Returns the exit status of the
    /// command, 0 if there is none.
    int join();

private:
    void run_all();
    void run(InputPump& pump);
    void fail(std::exception_ptr why);
    void ended();

    const InputOptions& options_;
    std::shared_ptr<sse::Channel> channel_;
    std::unique_ptr<Tee> tee_;
    std::vector<std::unique_ptr<InputPump>> pumps_;
    const sse::CommandOutput* command_ = nullptr;
    std::thread thread_;
    std::function<void(bool)> on_end_;
    std::atomic<std::size_t> running_{0};
    std::atomic<bool> stopped_{false}; ///< not all were read to their end
    std::mutex mutex_;                 ///< guards failure_
    std::exception_ptr failure_;
};

} // namespace cmd
