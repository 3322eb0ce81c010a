#include "cmd/serve/serve_input.hpp"

#include "cmd/cli/choice.hpp"
#include "cmd/cli/command.hpp"
#include "cmd/cli/duration.hpp"
#include "cmd/cli/number.hpp"
#include "cmd/cli/option_traits.hpp"
#include "cmd/cli/recording_output.hpp"
#include "input/input_reader.hpp"
#include "protocol/encoder.hpp"

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace cmd {

namespace {

const std::map<std::string, sse::InputFormat> formats = {{"lines", sse::InputFormat::lines},
                                                         {"json", sse::InputFormat::json},
                                                         {"sse", sse::InputFormat::sse},
                                                         {"blocks", sse::InputFormat::blocks},
                                                         {"nul", sse::InputFormat::nul}};

/// True for a FIFO or a device, which never ends by itself and is only read.
bool is_endless(const std::string& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 &&
           (S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode));
}

bool is_standard_input(const std::string& file) { return file == "-" || file == "/dev/stdin"; }

bool is_regular(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

/// Throws Failure with the exit statuses of a shell: 127 for a missing program, 126 otherwise.
[[noreturn]] void cannot_run(const std::system_error& e) {
    const bool missing = e.code() == std::errc::no_such_file_or_directory;
    throw Failure(missing ? 127 : 126, e.what(),
                  missing
                      ? "-- takes a program and its arguments; use sh -c '...' for a shell command"
                      : "-- takes a program that you may execute");
}

/// The name of a followed file in the store, wherever the server is started.
std::string source_of(const std::string& path) {
    return std::filesystem::absolute(path).lexically_normal().string();
}

/// Validator for CLI11: "" if the format can carry `type`, else the reason.
std::string check_type(const std::string& type) {
    if (type.empty()) return "it is empty";
    std::string block;
    try {
        sse::encode({type, "", std::nullopt}, block);
    } catch (const sse::Error& e) {
        return e.what();
    }
    return "";
}

} // namespace

CLI::Option* add_event_type(CLI::App& app, const std::string& name, std::string& type,
                            const std::string& help, const std::string& example) {
    return with_example(app.add_option(name, type, help), example)
        ->type_name("TYPE")
        ->check(check_type, "");
}

void add_input_options(CLI::App& app, InputOptions& o) {
    app.add_option("FILE", o.files,
                   "Files to serve, one after the other; - is standard input, which is also read "
                   "without a FILE; -- COMMAND serves the output of a command");

    const auto input = "Input";
    app.add_flag("-f,--follow", o.follow,
                 "Keep reading the files as they grow, wait for missing files, and continue after "
                 "rotation and truncation")
        ->group(input);
    app.add_flag("--restart", o.run.restart, "Restart the command after -- whenever it exits")
        ->group(input);
    add_duration(app, "--restart-delay", o.run.restart_delay,
                 "Wait this long before a restart; the wait doubles while the command keeps "
                 "exiting within 10s")
        ->group(input);
    app.add_flag("--pty", o.run.terminal,
                 "Run the command after -- on a pseudo-terminal, so that it does not buffer its "
                 "output")
        ->group(input);
    app.add_flag("--tee", o.tee, "Copy the input to standard output as it arrives")->group(input);
    add_choice(app, "--input", o.pump.format, formats,
               "Input format: lines: one event per line; json: one object per line; sse: "
               "event-stream text; blocks: lines up to a blank line; nul: text up to a NUL")
        ->group(input);
    app.add_flag(
           "--split-cr", o.pump.decoder.split_cr,
           "With --input lines, also end a line at a carriage return, which progress bars use")
        ->group(input);
    add_event_type(app, "--event", o.pump.decoder.event,
                   "Type of the events that have no type (default message)", "update")
        ->group(input);
    add_max_event_bytes(app, o.pump.decoder.max_event_bytes,
                        "Skip an event larger than this, with a warning")
        ->group(input);
    app.add_flag("--strict", o.pump.strict,
                 "Exit with status 3 at the first invalid input instead of skipping it")
        ->group(input);
    with_example(app.add_option("--record", o.record,
                                "Also record the served events to this file; - is standard output"),
                 "run.jsonl")
        ->type_name("FILE")
        ->group(input);
    add_event_type(app, "--end-event", o.end_event,
                   "Send a final event of this type when the input ends", "end")
        ->group(input);
}

std::unique_ptr<sse::ChannelRecorder> record(const InputOptions& o, sse::Channels& channels,
                                             const std::string& channel, ShutdownGrace& grace) {
    if (o.record.empty()) return nullptr;
    if (o.pump.channels) {
        throw Failure(Exit::usage, "--record and --channels cannot be used together",
                      "record a single channel with sse tail --record");
    }
    if (o.record == "-" && o.tee) {
        throw Failure(Exit::usage, "--record - and --tee both write to standard output",
                      "record to a file, or remove one of them");
    }
    for (const auto& file : o.files) {
        std::error_code ignored;
        if (std::filesystem::equivalent(file, o.record, ignored)) {
            throw Failure(Exit::usage, fmt::format("--record would overwrite its input {}", file),
                          "choose another file for --record");
        }
    }
    const auto on_failure = [](const std::string& why) {
        warn(fmt::format("{}; serving continues without recording", why));
    };
    sse::RecordingWriterOptions writer;
    writer.wait = [&grace](int fd) { return grace.wait(fd); };
    try {
        return std::make_unique<sse::ChannelRecorder>(make_recording(o.record, {}, writer),
                                                      channels.open(channel), on_failure);
    } catch (const sse::Error& e) {
        throw Failure(Exit::io_error, e.what(), "give --record a file that can be written");
    }
}

Inputs::Inputs(const InputOptions& options, sse::Channels& channels, const std::string& channel)
    : options_(options)
    , channel_(channels.open(channel))
    , channels_(channels)
    , channel_name_(channel) {
    auto files = options.files;
    if (files.empty() && options.command.empty()) files.emplace_back("-");
    beside_others_ = files.size() + (options.command.empty() ? 0 : 1) > 1;
    if ((options.run.restart || options.run.terminal) && options.command.empty()) {
        const auto* const flag = options.run.restart ? "--restart" : "--pty";
        throw Failure(Exit::usage, fmt::format("{} needs a command", flag),
                      fmt::format("for example sse serve {} -- vmstat -n 1", flag));
    }
    if (options.tee) tee_ = std::make_unique<Tee>(STDOUT_FILENO);
    for (const auto& file : files) add_file(file);
    if (options.command.empty()) return;
    try {
        auto command = std::make_unique<sse::CommandOutput>(options.command, options.run);
        command_ = command.get();
        add(std::move(command));
    } catch (const std::system_error& e) {
        cannot_run(e);
    }
}

std::unique_ptr<InputPump> Inputs::make_pump(const std::string& name, const std::string& source) {
    auto pump = options_.pump;
    pump.source = source;
    std::unique_ptr<TeeInput> copy;
    if (tee_) {
        const char end = options_.pump.format == sse::InputFormat::nul ? '\0' : '\n';
        copy = std::make_unique<TeeInput>(*tee_, beside_others_, end,
                                          options_.pump.decoder.max_event_bytes);
    }
    return std::make_unique<InputPump>(name, pump, channels_, channel_name_, std::move(copy));
}

void Inputs::add(std::unique_ptr<sse::ByteSource> source) {
    auto pump = make_pump(source->name());
    const auto index = inputs_.size();
    const bool stored = source->ends_by_itself();
    tasks_.push_back({stored, [this, index, stored] {
                          read(inputs_[index]);
                          if (stored) loaded();
                      }});
    if (stored) ++loading_;
    inputs_.push_back({std::move(source), std::move(pump)});
}

/// Where the files that are followed are entered: what no client can be sent is not read.
sse::FollowOptions::Entry Inputs::entry() const {
    const auto& channel = channel_->options();
    const bool copied = options_.tee || !options_.record.empty() || options_.pump.channels;
    if (copied || channel.start.at == sse::Start::At::oldest) return {};
    using End = sse::FollowOptions::Entry::End;
    switch (options_.pump.format) {
    case sse::InputFormat::lines:
    case sse::InputFormat::json: return {channel.history.max_bytes, End::line};
    case sse::InputFormat::sse:
    case sse::InputFormat::blocks: return {channel.history.max_bytes, End::blank_line};
    case sse::InputFormat::nul: return {channel.history.max_bytes, End::nul};
    }
    return {};
}

void Inputs::add_file(const std::string& path) {
    if (is_standard_input(path) && is_regular(STDIN_FILENO)) {
        standard_input_ =
            std::make_shared<sse::Descriptor>(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
        standard_input_begin_ = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    }
    if (!options_.follow) return add(std::make_unique<sse::InputReader>(path));
    if (is_standard_input(path)) {
        throw Failure(Exit::usage, "cannot follow standard input",
                      "give the files to follow, or remove --follow");
    }
    if (is_endless(path)) {
        sse::InputReaderOptions reader;
        reader.keep_fifo = true;
        return add(std::make_unique<sse::InputReader>(path, reader));
    }
    if (!follower_) {
        sse::FollowOptions follow;
        follow.open = options_.open;
        follow.enter = entry();
        if (options_.kept_place) {
            follow.place = [this](const std::string& file) -> std::optional<sse::ReadPlace> {
                const auto text = options_.kept_place(source_of(file));
                return text ? sse::ReadPlace::parse(*text) : std::nullopt;
            };
        }
        follower_ = std::make_unique<sse::FileFollower>(std::move(follow));
        tasks_.push_back({false, [this] { follow_files(); }});
        ++loading_;
    }
    inputs_.push_back(
        {nullptr, make_pump(path, options_.kept_place ? source_of(path) : std::string())});
    follower_->add(path, inputs_.back().pump->sink());
}

std::unique_ptr<sse::FileRereads> Inputs::rereads() const {
    using Format = sse::InputFormat;
    const auto& o = options_;
    const bool has_ids = o.pump.format == Format::json || o.pump.format == Format::sse;
    // Files that are followed together are read in turns: their order is not that of the files.
    const bool in_order = o.command.empty() && (!o.follow || o.files.size() == 1);
    if (!has_ids || !in_order || o.pump.channels) return nullptr;
    sse::FileRereadsOptions rereads;
    rereads.files = o.files;
    if (rereads.files.empty()) rereads.files.emplace_back("-");
    for (auto& file : rereads.files) {
        struct stat status {};
        const bool exists = ::stat(file.c_str(), &status) == 0;
        if (is_standard_input(file)) file = "-";
        else if (exists ? !S_ISREG(status.st_mode) : !o.follow) return nullptr;
        if (file == "-" && !standard_input_) return nullptr;
    }
    rereads.open = o.open;
    rereads.standard_input = standard_input_;
    rereads.standard_input_begin = standard_input_begin_;
    rereads.format = o.pump.format;
    rereads.decoder = o.pump.decoder;
    rereads.max_id_bytes = channel_->options().max_id_bytes;
    rereads.grows = o.follow;
    return std::make_unique<sse::FileRereads>(std::move(rereads));
}

Inputs::~Inputs() {
    stop();
    if (thread_.joinable()) thread_.join();
}

bool Inputs::load_first(std::function<void()> on_loaded) {
    if (loading_ == 0) return false;
    channels_.begin_loading(on_loaded);
    on_loaded_ = std::move(on_loaded);
    // The reader of standard output may wait for a client to come.
    return !tee_ && options_.record != "-";
}

/// What one input held at the start is published.
void Inputs::loaded() {
    if (--loading_ > 0) return;
    channels_.end_loading();
    if (on_loaded_) on_loaded_();
}

void Inputs::start(std::function<void(bool)> on_end) {
    on_end_ = std::move(on_end);
    running_ = tasks_.size();
    thread_ = std::thread([this] { run_all(); });
}

void Inputs::run_all() {
    std::vector<std::thread> beside;
    for (const auto& task : tasks_) {
        const bool last = &task == &tasks_.back();
        if (last || task.ends_by_itself) {
            run(task);
            continue;
        }
        try {
            beside.emplace_back([this, &task] { run(task); });
        } catch (const std::system_error&) { // out of threads
            fail(std::current_exception());
            run(task); // returns at once: fail() has stopped it
        }
    }
    for (auto& thread : beside) thread.join();
}

void Inputs::run(const Task& task) {
    try {
        task.run();
    } catch (...) {
        fail(std::current_exception());
    }
    if (--running_ == 0) ended();
}

void Inputs::read(Input& input) {
    const bool whole = input.source->run(input.pump->sink());
    if (!whole) stopped_ = true;
    input.pump->finish(whole);
}

void Inputs::follow_files() {
    follower_->run([this] { loaded(); });
    stopped_ = true;
    for (const auto& input : inputs_) {
        if (!input.source) input.pump->finish(false);
    }
}

void Inputs::fail(std::exception_ptr why) {
    {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(why);
    }
    stop();
}

void Inputs::ended() {
    bool failed = false;
    {
        const std::lock_guard lock(mutex_);
        failed = failure_ != nullptr;
    }
    if (!failed && !stopped_ && !options_.end_event.empty()) {
        sse::Publisher publisher(*channel_);
        publisher.add({options_.end_event, "", std::nullopt});
        publisher.flush();
    }
    on_end_(failed);
}

void Inputs::stop() {
    if (tee_) tee_->stop();
    if (follower_) follower_->stop();
    for (const auto& input : inputs_) {
        if (input.source) input.source->stop();
    }
}

int Inputs::join() {
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(failure_);
    return command_ != nullptr ? command_->status() : 0;
}

} // namespace cmd
