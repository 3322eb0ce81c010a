// The inputs of `sse serve`: their flags and the threads that read them.
#pragma once

#include "cmd/cli/shutdown_grace.hpp"
#include "cmd/serve/input_pump.hpp"
#include "cmd/serve/tee.hpp"
#include "hub/channel_recorder.hpp"
#include "input/command_output.hpp"
#include "input/file_follower.hpp"
#include "input/file_rereads.hpp"

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace cmd {

struct InputOptions {
    /// Paths; "-" is standard input, as is an empty list without a command.
    std::vector<std::string> files;
    /// Command and arguments after `--`, whose output is an input; empty: none.
    std::vector<std::string> command;
    sse::CommandOptions run;
    /// True if a file or a command is given.
    bool any() const { return !files.empty() || !command.empty(); }
    /// Files are followed as they grow, are truncated or replaced.
    bool follow = false;
    /// How files that are followed are opened; empty: as this process may.
    sse::OpenFile open;
    /// The input is copied to standard output.
    bool tee = false;
    PumpOptions pump;
    /// Gives the place of a source that is kept in the store; empty: places are not kept.
    std::function<std::optional<std::string>(const std::string& source)> kept_place;
    /// Path of the recording of the served events; "": none.
    std::string record;
    /// Type of the event sent once all inputs have ended; "": none.
    std::string end_event;
};

/// Adds an option whose value is the type of an event that the server sends; `example` works for
/// it.
CLI::Option* add_event_type(CLI::App& app, const std::string& name, std::string& type,
                            const std::string& help, const std::string& example);
void add_input_options(CLI::App& app, InputOptions& options);

/// The recorder of --record, or nullptr without it. `grace` bounds how long it waits for the reader
/// of a pipe and must outlive it. Throws Failure if the file cannot be created.
std::unique_ptr<sse::ChannelRecorder> record(const InputOptions& options, sse::Channels& channels,
                                             const std::string& channel, ShutdownGrace& grace);

/// All inputs of one server. stop() may be called on any thread, the rest on the creating thread.
class Inputs {
public:
    /// Opens all inputs. Events that name no channel go to `channel`. Throws Failure or
    /// std::system_error for an input that cannot be opened.
    Inputs(const InputOptions& options, sse::Channels& channels, const std::string& channel);
    ~Inputs();

    /// Before start(): what files hold at the start is loaded, which the channels are told of.
    /// `on_loaded` is called on any thread, maybe several times, once it is all published, or as
    /// much as the history takes without a client. True if clients should wait for it: one that
    /// resumes then finds its last event ID, and one that starts at the end finds the end.
    bool load_first(std::function<void()> on_loaded);
    /// Reads the inputs in order. A plain file is read to its end before the next input starts; a
    /// pipe, a command or a followed file does not delay the next one. All followed files are read
    /// on one thread, in turns. `on_end` is called once, on any thread, when all have ended;
    /// `failed` is true if one failed, which stops the others.
    void start(std::function<void(bool failed)> on_end);
    void stop();
    /// Reads the inputs again, where all of them are regular files that can be read in the same
    /// order, and whose events have IDs of their own; else nullptr.
    std::unique_ptr<sse::FileRereads> rereads() const;
    /// Waits until all have ended. Rethrows the failure of an input. Returns the exit status of the
    /// command, 0 without one.
    int join();

private:
    struct Input {
        std::unique_ptr<sse::ByteSource> source; ///< nullptr: a file that follower_ reads
        std::unique_ptr<InputPump> pump;
    };
    /// What one thread reads: one source, or all followed files.
    struct Task {
        bool ends_by_itself;
        std::function<void()> run;
    };

    void add(std::unique_ptr<sse::ByteSource> source);
    void add_file(const std::string& path);
    sse::FollowOptions::Entry entry() const;
    std::unique_ptr<InputPump> make_pump(const std::string& name, const std::string& source = {});
    void run_all();
    void run(const Task& task);
    void read(Input& input);
    void follow_files();
    void loaded();
    void fail(std::exception_ptr why);
    void ended();

    const InputOptions& options_;
    std::shared_ptr<sse::Channel> channel_;
    sse::Channels& channels_;
    std::string channel_name_;
    bool beside_others_ = false; ///< there are several inputs
    std::unique_ptr<Tee> tee_;
    std::shared_ptr<const sse::Descriptor> standard_input_; ///< nullptr: it is no regular file
    off_t standard_input_begin_ = 0;
    std::vector<Input> inputs_;
    std::vector<Task> tasks_;
    std::unique_ptr<sse::FileFollower> follower_; ///< nullptr: no file is followed
    const sse::CommandOutput* command_ = nullptr;
    std::thread thread_;
    std::function<void(bool)> on_end_;
    std::function<void()> on_loaded_;
    std::atomic<std::size_t> loading_{0}; ///< inputs that were there before, not read yet
    std::atomic<std::size_t> running_{0};
    std::atomic<bool> stopped_{false}; ///< true if an input was stopped before its end
    std::mutex mutex_;                 ///< guards failure_
    std::exception_ptr failure_;
};

} // namespace cmd
