#include "base/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

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

/// As execv() takes them.
std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    result.reserve(words.size() + 1);
    for (auto& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

/// In the child, after fork() in a process with threads: async-signal-safe calls only.
[[noreturn]] void become(const char* path, char* const* words, char* const* shell_words, int output,
                         int failure, pid_t parent) {
    ::setpgid(0, 0);
#ifdef __linux__
    ::prctl(PR_SET_PDEATHSIG, SIGTERM); // even if we are killed
    if (::getppid() != parent) ::_exit(127);
#else
    (void)parent;
#endif
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL); // ours is ignored, and that would be inherited
    ::dup2(output, STDOUT_FILENO);
    if (::isatty(STDIN_FILENO) != 0) {
        const int null = ::open("/dev/null", O_RDONLY);
        if (null >= 0) ::dup2(null, STDIN_FILENO);
    }
    ::execv(path, words);
    int error = errno;
    if (error == ENOEXEC) { // a script without a first line: as a shell would run it
        ::execv("/bin/sh", shell_words);
        error = errno;
    }
    [[maybe_unused]] const auto ignored = ::write(failure, &error, sizeof error);
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

Child::Child(const std::vector<std::string>& command) {
    const auto path = find_program(command.front());
    auto words = command;
    std::vector<std::string> shell_words = {"sh", path};
    shell_words.insert(shell_words.end(), command.begin() + 1, command.end());
    const auto own = pointers(words), shell = pointers(shell_words);

    int output[2], failure[2];
    if (::pipe2(output, O_CLOEXEC) != 0) cannot_run(command.front(), errno);
    if (::pipe2(failure, O_CLOEXEC) != 0) {
        const int error = errno;
        ::close(output[0]);
        ::close(output[1]);
        cannot_run(command.front(), error);
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) become(path.c_str(), own.data(), shell.data(), output[1], failure[1], parent);
    int error = pid_ < 0 ? errno : 0;
    if (pid_ > 0) ::setpgid(pid_, pid_); // here as well: end() may be faster than the child
    ::close(output[1]);
    ::close(failure[1]);
    output_ = output[0];
    if (error == 0 && ::read(failure[0], &error, sizeof error) != sizeof error) error = 0;
    ::close(failure[0]);
    if (error != 0) {
        if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
        ::close(output_);
        cannot_run(command.front(), error);
    }
}

Child::~Child() {
    if (!status_) end(milliseconds(0));
    ::close(output_);
}

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
    if (grace.count() > 0) ::kill(-pid_, SIGTERM);
    for (auto pause = milliseconds(1); !ended() && steady_clock::now() < until;
         pause = std::min(pause * 2, milliseconds(50))) {
        ::poll(nullptr, 0, static_cast<int>(pause.count()));
    }
    ::kill(-pid_, SIGKILL);
    reap(0);
}

} // namespace sse
