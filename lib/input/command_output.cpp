#include "input/command_output.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <fmt/format.h>
#include <memory>
#include <poll.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

CommandOutput::CommandOutput(std::vector<std::string> command, CommandOptions options)
    : command_(std::move(command))
    , options_(options)
    , name_(command_.front()) {
    find_program(command_.front());
}

bool CommandOutput::run(Sink& sink) {
    for (auto delay = options_.restart_delay;;) {
        const auto began = steady_clock::now();
        if (!run_once(sink)) return false;
        if (!options_.restart) {
            if (status_ != 0) sink.on_note(fmt::format("{} ended with status {}", name_, status_));
            return true;
        }
        if (steady_clock::now() - began >= options_.healthy_after) delay = options_.restart_delay;
        sink.on_break();
        sink.on_note(fmt::format("{} ended with status {}; starting it again in {} ms", name_,
                                 status_, delay.count()));
        if (!wait(delay)) {
            status_ = 0;
            return false;
        }
        delay = std::min(delay * 2, options_.max_restart_delay);
    }
}

/// True when it has ended by itself.
bool CommandOutput::run_once(Sink& sink) {
    std::unique_ptr<Child> child;
    try {
        ChildOptions options;
        options.output =
            options_.terminal ? ChildOptions::Output::terminal : ChildOptions::Output::pipe;
        child = std::make_unique<Child>(command_, options);
    } catch (const std::system_error& e) {
        if (!options_.restart) throw;
        sink.on_note(e.what()); // it may be on its way: being installed, or built
        status_ = 127;
        return true;
    }
    bool stopped = false;
    try {
        stopped = !drain(child->output(), sink);
        for (milliseconds pause(1); !stopped && !child->status();
             pause = std::min(pause * 2, milliseconds(50))) {
            stopped = !wait(pause);
        }
    } catch (...) { // what the sink throws
        child->end(options_.kill_grace);
        throw;
    }
    if (stopped) child->end(options_.kill_grace);
    status_ = stopped ? 0 : child->status().value_or(0);
    return !stopped;
}

/// Reads to the end of the output; false if it was stopped.
bool CommandOutput::drain(int fd, Sink& sink) {
    const auto buffer = std::make_unique<char[]>(options_.read_bytes);
    const auto quiet_at = steady_clock::now() + options_.quiet_note;
    for (;;) {
        int timeout = -1;
        if (!has_written_ && !options_.terminal) {
            const auto left = std::chrono::ceil<milliseconds>(quiet_at - steady_clock::now());
            timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, INT_MAX));
        }
        pollfd fds[2] = {{fd, POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
        const int ready = ::poll(fds, 2, timeout);
        if (ready < 0) continue; // EINTR
        if (ready == 0) {
            note_quiet(sink);
            continue;
        }
        if (fds[1].revents != 0) return false;
        const auto got = ::read(fd, buffer.get(), options_.read_bytes);
        if (got == 0) return true;
        if (got < 0 && errno == EIO) return true; // the end of a pseudo-terminal
        if (got < 0) continue;                    // EINTR
        has_written_ = true;
        sink.on_bytes({buffer.get(), static_cast<std::size_t>(got)});
    }
}

void CommandOutput::note_quiet(Sink& sink) {
    has_written_ = true; // the note is given once
    sink.on_note(fmt::format("{} has written nothing for {} s; if it buffers its output, use --pty "
                             "to receive each line at once",
                             name_, std::chrono::duration<double>(options_.quiet_note).count()));
}

/// False if it was stopped meanwhile.
bool CommandOutput::wait(milliseconds time) {
    pollfd told{wake_.fd(), POLLIN, 0};
    return ::poll(&told, 1, static_cast<int>(time.count())) <= 0;
}

} // namespace sse
