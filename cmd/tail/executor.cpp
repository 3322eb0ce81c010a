#include "cmd/tail/executor.hpp"

#include "base/printable.hpp"
#include "cmd/cli/command.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

extern char** environ; // POSIX has it in no header

namespace cmd {

namespace {

/// Both ends closed in the commands.
void make_pipe(int (&ends)[2]) {
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
}

/// What posix_spawn() is told besides the program.
struct SpawnOptions {
    explicit SpawnOptions(int input) {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        ::posix_spawnattr_init(&attributes);
        sigset_t none, defaults;
        ::sigemptyset(&none);
        ::sigemptyset(&defaults);
        ::sigaddset(&defaults, SIGPIPE); // we ignore it
        ::posix_spawnattr_setsigmask(&attributes, &none);
        ::posix_spawnattr_setsigdefault(&attributes, &defaults);
        ::posix_spawnattr_setpgroup(&attributes, 0); // so that what it starts can be ended with it
        ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                    POSIX_SPAWN_SETPGROUP);
    }
    ~SpawnOptions() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    SpawnOptions(const SpawnOptions&) = delete;
    SpawnOptions& operator=(const SpawnOptions&) = delete;

    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};
};

/// As much as is read: a command need not read it.
void write_input(int fd, std::string_view data) {
    while (!data.empty()) {
        const auto taken = ::write(fd, data.data(), data.size());
        if (taken > 0) data.remove_prefix(static_cast<std::size_t>(taken));
        else if (errno != EINTR) return;
    }
}

} // namespace

Executor::Executor(ExecOptions options, sse::Interrupt& interrupt)
    : options_(std::move(options))
    , interrupt_(interrupt) {
    make_pipe(slots_);
    try {
        for (std::size_t i = 0; i < options_.jobs; ++i) {
            free_slot();
            threads_.emplace_back([this] { work(); });
        }
    } catch (const std::system_error& e) {
        end();
        throw std::system_error(e.code(),
                                fmt::format("cannot start {} threads for --jobs", options_.jobs));
    }
}

Executor::~Executor() { end(); }

void Executor::end() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        jobs_.clear();
    }
    change_.notify_all();
    end_all(SIGTERM);
    {
        std::unique_lock lock(mutex_);
        change_.wait_for(lock, options_.grace, [this] { return running_.empty(); });
    }
    end_all(SIGKILL);
    for (auto& thread : threads_) thread.join();
    ::close(slots_[0]);
    ::close(slots_[1]);
}

void Executor::end_all(int signal) {
    const std::lock_guard lock(mutex_);
    for (const auto pid : running_) ::kill(-pid, signal);
}

bool Executor::wait_for_room() { return interrupt_.wait_served(slots_[0], POLLIN); }

bool Executor::take_slot() {
    char byte = 0;
    return wait_for_room() && ::read(slots_[0], &byte, 1) == 1;
}

void Executor::free_slot() { [[maybe_unused]] const auto written = ::write(slots_[1], "!", 1); }

bool Executor::run(const ReceivedEvent& received) {
    if (!take_slot()) return false;
    Job job;
    const auto& event = received.event;
    const auto variable = [&](const char* name, std::string_view value) {
        const bool fits = value.size() <= options_.max_variable_bytes &&
                          value.find('\0') == value.npos; // an end, there
        if (fits) job.variables.push_back(fmt::format("{}={}", name, value));
    };
    variable("SSE_EVENT", event.type);
    variable("SSE_ID", received.last_id);
    variable("SSE_DATA", event.data);
    if (!received.source.empty()) variable("SSE_SOURCE", received.source);
    job.data.assign(event.data).push_back('\n');
    job.name = sse::printable(event.type, 100);
    if (!received.last_id.empty()) job.name += " #" + sse::printable(received.last_id, 100);
    const std::lock_guard lock(mutex_);
    if (!failure_.empty()) {
        free_slot();
        return false;
    }
    jobs_.push_back(std::move(job));
    change_.notify_all();
    return true;
}

bool Executor::finish() {
    std::size_t slots = 0;
    while (slots < options_.jobs && take_slot()) ++slots;
    const bool all = slots == options_.jobs;
    for (; slots > 0; --slots) free_slot();
    return all;
}

std::string Executor::failure() const {
    const std::lock_guard lock(mutex_);
    return failure_;
}

void Executor::work() {
    while (true) {
        Job job;
        {
            std::unique_lock lock(mutex_);
            change_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
            if (ending_) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        auto why = execute(job);
        {
            const std::lock_guard lock(mutex_);
            if (!why.empty() && !ending_) {
                why = fmt::format("the command for {} {}", job.name, why);
                if (!options_.stop) warn(why);
                else if (failure_.empty()) failure_ = why;
                if (options_.stop) interrupt_.raise(sse::Interrupt::Reason::failed);
            }
        }
        free_slot();
    }
}

std::string Executor::execute(const Job& job) {
    std::string shell = "/bin/sh", flag = "-c", command = options_.command;
    char* words[] = {shell.data(), flag.data(), command.data(), nullptr};
    auto variables = job.variables;
    std::vector<char*> environment;
    for (char** at = environ; *at; ++at) {
        if (!std::string_view(*at).starts_with("SSE_")) environment.push_back(*at);
    }
    for (auto& variable : variables) environment.push_back(variable.data());
    environment.push_back(nullptr);

    int input[2] = {-1, -1};
    pid_t pid = -1;
    {
        const std::lock_guard lock(mutex_); // end_all() is to know of what has begun
        if (ending_) return {};
        try {
            make_pipe(input);
        } catch (const std::system_error& e) {
            return fmt::format("could not be run: {}", e.what());
        }
        const SpawnOptions options(input[0]);
        const int error = ::posix_spawn(&pid, shell.c_str(), &options.actions, &options.attributes,
                                        words, environment.data());
        ::close(input[0]);
        if (error != 0) {
            ::close(input[1]);
            return fmt::format("could not be run: {}", std::generic_category().message(error));
        }
        running_.insert(pid);
    }
    write_input(input[1], job.data);
    ::close(input[1]);
    siginfo_t about{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &about, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
    {
        const std::lock_guard lock(mutex_); // its number may be another's once it is reaped
        running_.erase(pid);
        ::waitpid(pid, nullptr, 0);
    }
    change_.notify_all();
    if (about.si_code == CLD_EXITED)
        return about.si_status == 0 ? "" : fmt::format("exited with status {}", about.si_status);
    return fmt::format("was killed by signal {}", about.si_status);
}

} // namespace cmd
