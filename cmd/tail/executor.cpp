#include "cmd/tail/executor.hpp"

#include "base/printable.hpp"
#include "cmd/cli/command.hpp"

#include <csignal>
#include <fmt/format.h>
#include <optional>
#include <poll.h>
#include <string_view>
#include <system_error>
#include <utility>

namespace cmd {

Executor::Executor(ExecOptions options, sse::Interrupt& interrupt)
    : options_(std::move(options))
    , interrupt_(interrupt) {
    try {
        for (std::size_t i = 0; i < options_.jobs; ++i)
            threads_.emplace_back([this] { run_jobs(); });
    } catch (const std::system_error& e) {
        end();
        throw std::system_error(e.code(),
                                fmt::format("cannot start {} threads for --jobs", options_.jobs));
    }
    free_ = options_.jobs;
    if (free_ > 0) room_.set();
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
}

void Executor::end_all(int signal) {
    const std::lock_guard lock(mutex_);
    for (const auto* child : running_) child->send(signal);
}

bool Executor::wait_for_room() { return interrupt_.wait_for_output(room_.fd(), POLLIN); }

bool Executor::take_slot() {
    if (!wait_for_room()) return false;
    const std::lock_guard lock(mutex_);
    if (--free_ == 0) room_.reset();
    return true;
}

void Executor::free_slot() {
    const std::lock_guard lock(mutex_);
    if (++free_ == 1) room_.set();
}

bool Executor::run(const ReceivedEvent& received) {
    if (!take_slot()) return false;
    bool stopped = false;
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
    {
        const std::lock_guard lock(mutex_);
        if (failure_.empty()) jobs_.push_back(std::move(job));
        else stopped = true;
    }
    if (stopped) {
        free_slot();
        return false;
    }
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

void Executor::run_jobs() {
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
    sse::ChildOptions options;
    options.pipe_input = true;
    options.variables = job.variables;
    options.hidden_prefix = "SSE_"; // of a `sse tail --exec` that this one runs in
    std::optional<sse::Child> child;
    {
        const std::lock_guard lock(mutex_); // end_all() must see every command that has started
        if (ending_) return {};
        try {
            child.emplace(std::vector<std::string>{"/bin/sh", "-c", options_.command}, options);
        } catch (const std::system_error& e) {
            return fmt::format("could not be run: {}", e.code().message());
        }
        running_.insert(&*child);
    }
    child->write_input(job.data);
    child->wait();
    int status = 0;
    {
        const std::lock_guard lock(mutex_); // once reaped, its number may be another process's
        running_.erase(&*child);
        status = child->status().value_or(0);
    }
    change_.notify_all();
    if (child->signal() != 0) return fmt::format("was killed by signal {}", child->signal());
    return status == 0 ? "" : fmt::format("exited with status {}", status);
}

} // namespace cmd
