#include "cmd/cli/init_process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <unistd.h>

namespace cmd {

namespace {

/// Reaps every child that has ended. The status of `child` once it has, as a shell has it.
std::optional<int> reap_all(pid_t child) {
    std::optional<int> result;
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(-1, &status, WNOHANG);
        if (ended < 0 && errno == EINTR) continue;
        if (ended <= 0) return result;
        if (ended == child)
            result = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
}

/// True if a process sent the signal. A terminal sends its signals to the child as well.
bool is_sent_by_process(const siginfo_t& info) { return info.si_code <= 0; }

/// The service manager passed sockets to process 1: they are for the child now (sd_listen_fds(3)).
void pass_sockets_on() {
    const char* const passed_to = std::getenv("LISTEN_PID");
    if (passed_to != nullptr && std::string_view(passed_to) == "1")
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

} // namespace

#ifdef __APPLE__

std::optional<int> run_as_init() { return std::nullopt; } // launchd is process 1, and no other

#else

std::optional<int> run_as_init() {
    if (::getpid() != 1) return std::nullopt;
    sigset_t all, before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before); // until sigwaitinfo() takes them
    const pid_t child = ::fork();
    if (child <= 0) {
        ::sigprocmask(SIG_SETMASK, &before, nullptr);
        if (child == 0) pass_sockets_on();
        return std::nullopt; // without a child: better no reaper than no server
    }
    for (;;) {
        siginfo_t info{};
        const int signal = ::sigwaitinfo(&all, &info);
        if (signal == SIGCHLD) {
            if (const auto status = reap_all(child)) return status;
        } else if (signal > 0 && is_sent_by_process(info)) {
            ::kill(child, signal);
        }
    }
}

#endif

} // namespace cmd
