#include "base/child_process.hpp"

#include "base/descriptor.hpp"
#include "base/posix.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <termios.h>
#include <unistd.h>
#include <utility>

extern char** environ; // POSIX declares it in no header

namespace sse {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

[[noreturn]] void cannot_run(const std::string& name, int error) {
    throw std::system_error(error, std::generic_category(), fmt::format("cannot run {}", name));
}

bool is_program(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

/// As execve() takes them.
std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    result.reserve(words.size() + 1);
    for (auto& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

/// Variables that are for this process alone: its tokens, and its service manager's sockets.
bool is_private(std::string_view name) {
    constexpr std::string_view names[] = {"SSE_TOKEN",     "SSE_PUBLISH_TOKEN", "NOTIFY_SOCKET",
                                          "LISTEN_FDS",    "LISTEN_PID",        "LISTEN_FDNAMES",
                                          "WATCHDOG_USEC", "WATCHDOG_PID"};
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

std::vector<std::string> environment_for(const ChildOptions& options) {
    auto result = options.variables;
    const auto name_of = [](std::string_view entry) { return entry.substr(0, entry.find('=')); };
    for (char** at = environ; *at != nullptr; ++at) {
        const auto name = name_of(*at);
        const bool hidden =
            !options.hidden_prefix.empty() && name.starts_with(options.hidden_prefix);
        const bool replaced =
            std::any_of(options.variables.begin(), options.variables.end(),
                        [&](const std::string& entry) { return name_of(entry) == name; });
        if (!is_private(name) && !hidden && !replaced) result.emplace_back(*at);
    }
    return result;
}

/// A pipe, closed where it is not released. Both ends are closed in commands.
struct Pipe {
    Descriptor read, write;

    /// False, with errno set, if none can be made.
    bool open() {
        int ends[2];
        if (!make_pipe(ends, false)) return false;
        read = Descriptor(ends[0]);
        write = Descriptor(ends[1]);
        return true;
    }
};

/// A pseudo-terminal that changes no byte of what is written to it.
bool open_terminal(Pipe& ends) {
    ends.read = Descriptor(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    char name[128];
    if (ends.read.get() < 0 || ::grantpt(ends.read.get()) != 0 ||
        ::unlockpt(ends.read.get()) != 0 || ::ptsname_r(ends.read.get(), name, sizeof name) != 0)
        return false;
    ends.write = Descriptor(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
    termios mode{};
    if (ends.write.get() < 0 || ::tcgetattr(ends.write.get(), &mode) != 0) return false;
    ::cfmakeraw(&mode);
    return ::tcsetattr(ends.write.get(), TCSANOW, &mode) == 0;
}

bool open_output(ChildOptions::Output kind, Pipe& ends) {
    switch (kind) {
    case ChildOptions::Output::shared: return true;
    case ChildOptions::Output::pipe: return ends.open();
    case ChildOptions::Output::terminal: return open_terminal(ends);
    }
    return false;
}

/// What the child needs between fork() and execve(): made before, since it must not allocate.
struct Start {
    const char* path;
    char* const* words;
    char* const* shell_words;
    char* const* environment;
    int input, output, failure; ///< -1: shared with the parent
    pid_t parent;
};

/// In the child, after fork() in a process with threads: async-signal-safe calls only.
[[noreturn]] void run_child(const Start& start) {
    ::setpgid(0, 0);
    if (!end_with_parent(start.parent)) ::_exit(127); // also when it is killed
    sigset_t unblocked;
    sigemptyset(&unblocked);
    ::sigprocmask(SIG_SETMASK, &unblocked, nullptr);
    ::signal(SIGPIPE, SIG_DFL); // ignored in the parent, which would be inherited
    if (start.output >= 0) ::dup2(start.output, STDOUT_FILENO);
    if (start.input >= 0) {
        ::dup2(start.input, STDIN_FILENO);
    } else if (::isatty(STDIN_FILENO) != 0) {
        const int null = ::open("/dev/null", O_RDONLY);
        if (null >= 0) ::dup2(null, STDIN_FILENO);
    }
    ::execve(start.path, start.words, start.environment);
    int error = errno;
    if (error == ENOEXEC) { // a script without a first line: as a shell would run it
        ::execve("/bin/sh", start.shell_words, start.environment);
        error = errno;
    }
    [[maybe_unused]] const auto ignored = ::write(start.failure, &error, sizeof error);
    ::_exit(127);
}

} // namespace

std::string find_program(const std::string& name) {
    if (name.find('/') != name.npos) {
        if (is_program(name)) return name;
        struct stat status {};
        cannot_run(name, ::stat(name.c_str(), &status) == 0 ? EACCES : errno);
    }
    const char* const path = std::getenv("PATH");
    std::string_view left = path != nullptr ? path : "/usr/bin:/bin";
    while (!name.empty() && !left.empty()) {
        const auto directory = left.substr(0, left.find(':'));
        left.remove_prefix(std::min(left.size(), directory.size() + 1));
        auto file = fmt::format("{}/{}", directory.empty() ? "." : directory, name);
        if (is_program(file)) return file;
    }
    cannot_run(name, ENOENT);
}

Child::Child(const std::vector<std::string>& command, const ChildOptions& options) {
    const auto& name = command.front();
    const auto path = find_program(name);
    auto words = command;
    std::vector<std::string> shell_words = {"sh", path};
    shell_words.insert(shell_words.end(), command.begin() + 1, command.end());
    auto variables = environment_for(options);
    const auto own = pointers(words), shell = pointers(shell_words),
               environment = pointers(variables);

    Pipe input, output, failure;
    if ((options.pipe_input && !input.open()) || !open_output(options.output, output) ||
        !failure.open())
        cannot_run(name, errno);
    const Start start{path.c_str(),     own.data(),         shell.data(),        environment.data(),
                      input.read.get(), output.write.get(), failure.write.get(), ::getpid()};
    pid_ = ::fork();
    if (pid_ == 0) run_child(start);
    if (pid_ < 0) cannot_run(name, errno);
    ::setpgid(pid_, pid_); // here as well: end() may be called before the child gets that far
    failure.write = Descriptor();
    if (int error = 0; ::read(failure.read.get(), &error, sizeof error) == sizeof error) {
        ::waitpid(pid_, nullptr, 0);
        cannot_run(name, error);
    }
    input_ = input.write.release();
    output_ = output.read.release();
}

Child::~Child() {
    if (!status_) end(milliseconds(0));
    if (input_ >= 0) ::close(input_);
    if (output_ >= 0) ::close(output_);
}

void Child::write_input(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto taken = ::write(input_, bytes.data(), bytes.size());
        if (taken > 0) bytes.remove_prefix(static_cast<std::size_t>(taken));
        else if (errno != EINTR) break; // a command need not read all of it
    }
    ::close(std::exchange(input_, -1));
}

void Child::wait() const {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) != 0 &&
           errno == EINTR) {
    }
}

void Child::send(int signal) const { ::kill(-pid_, signal); }

std::optional<int> Child::status() {
    if (!status_) reap(WNOHANG);
    return status_;
}

void Child::reap(int flags) {
    int status = 0;
    pid_t got = 0;
    do got = ::waitpid(pid_, &status, flags);
    while (got < 0 && errno == EINTR);
    if (got == 0) return;
    if (got > 0 && WIFSIGNALED(status)) signal_ = WTERMSIG(status);
    status_ = got < 0 ? 0 : WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void Child::end(milliseconds grace) {
    if (status_) return;
    // Not reaped before the last signal: until then no other group can have its number.
    const auto until = steady_clock::now() + grace;
    const auto ended = [&] {
        siginfo_t info{};
        return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT | WNOHANG) != 0 ||
               info.si_pid == pid_;
    };
    if (grace.count() > 0) send(SIGTERM);
    for (auto pause = milliseconds(1); !ended() && steady_clock::now() < until;
         pause = std::min(pause * 2, milliseconds(50))) {
        ::poll(nullptr, 0, static_cast<int>(pause.count()));
    }
    send(SIGKILL);
    reap(0);
}

} // namespace sse
