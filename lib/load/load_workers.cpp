#include "load/load_workers.hpp"

#include "base/error.hpp"
#include "base/posix.hpp"
#include "load/load_run.hpp"
#include "load/load_shares.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <fmt/format.h>
#include <new>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace sse {

namespace {

constexpr auto progress_wait = std::chrono::milliseconds(20); ///< between two looks at counters

std::size_t share_below(std::size_t end, std::size_t number, std::size_t runs) {
    return (end + runs - 1 - number) / runs;
}

/// The options of one of several runs.
LoadOptions share_of(const LoadOptions& options, std::size_t number, std::size_t runs) {
    auto share = options;
    share.first_number = static_cast<std::uint32_t>(number);
    share.runs = static_cast<std::uint32_t>(runs);
    share.subscribers = share_below(options.subscribers, number, runs);
    share.stalled = share_below(options.stalled, number, runs);
    share.slow = share_below(options.stalled + options.slow, number, runs) - share.stalled;
    share.connect_rate /= static_cast<double>(runs);
    share.leave_rate /= static_cast<double>(runs);
    share.on_all_started = share.on_measuring = share.on_measured = nullptr;
    return share;
}

void write_all(int pipe, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::write(pipe, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) ::_exit(1); // nobody reads it any more
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace

struct LoadWorkers::Shared {
    static constexpr std::size_t most_workers = 1024;

    Counter stop; ///< 1: end the run
    std::array<LoadProgress, most_workers> progress;
};

LoadWorkers::LoadWorkers(const LoadOptions& options, std::size_t count)
    : options_(options)
    , workers_(std::min({count, options.subscribers, Shared::most_workers})) {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::system_error(errno, std::generic_category(), "cannot share memory");
    shared_ = new (memory) Shared;
    for (std::size_t i = 0; i < workers_.size(); ++i) start(i);
}

LoadWorkers::~LoadWorkers() {
    for (auto& worker : workers_) {
        if (worker.pid <= 0) continue;
        ::kill(worker.pid, SIGKILL);
        while (::waitpid(worker.pid, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    ::munmap(shared_, sizeof(Shared));
}

void LoadWorkers::start(std::size_t number) {
    auto& worker = workers_[number];
    int ends[2];
    if (!make_pipe(ends, false))
        throw std::system_error(errno, std::generic_category(), "cannot make a pipe");
    worker.pipe = Descriptor(ends[0]);
    Descriptor to_parent(ends[1]);
    const auto parent = ::getpid();
    worker.pid = ::fork();
    if (worker.pid < 0)
        throw std::system_error(errno, std::generic_category(), "cannot start a process");
    if (worker.pid > 0) return;
    // The child. A terminal sends its signals to all processes, and the parent decides.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(signal, SIG_IGN);
    for (auto& other : workers_) other.pipe = Descriptor();
    try {
        work(number, parent, to_parent.get());
    } catch (const std::exception& e) {
        write_all(to_parent.get(), encode_message(LoadMessageKind::error, e.what()));
    }
    ::_exit(0);
}

void LoadWorkers::work(std::size_t number, pid_t parent, int pipe) const {
    auto options = share_of(options_, number, workers_.size());
    options.others_started = [this] {
        std::uint64_t started = 0;
        for (std::size_t i = 0; i < workers_.size(); ++i)
            started += shared_->progress[i].started.get();
        return started == options_.subscribers;
    };
    options.is_stopped = [this, parent] {
        return shared_->stop.get() != 0 || ::getppid() != parent;
    };
    options.on_interval = [pipe](const LoadInterval& interval, const Histogram& delays) {
        write_all(pipe, encode(LoadIntervalMessage{interval, delays}));
    };
    Interrupt interrupt;
    LoadRun run(std::move(options), interrupt, &shared_->progress[number]);
    run.resolve();
    run.run();
    write_all(pipe, encode(run.share()));
}

void LoadWorkers::run(Interrupt& interrupt) {
    while (true) {
        std::vector<pollfd> fds;
        std::vector<Worker*> readers;
        for (auto& worker : workers_) {
            if (worker.pipe.get() < 0) continue;
            fds.push_back({worker.pipe.get(), POLLIN, 0});
            readers.push_back(&worker);
        }
        if (fds.empty()) break;
        const auto ready = ::poll(fds.data(), static_cast<nfds_t>(fds.size()),
                                  static_cast<int>(progress_wait.count()));
        if (interrupt) shared_->stop.set(1);
        count_progress();
        if (ready <= 0) continue;
        for (std::size_t i = 0; i < fds.size(); ++i) {
            if (fds[i].revents != 0) read(*readers[i]);
        }
    }
    std::vector<LoadShare> shares;
    for (auto& worker : workers_) shares.push_back(std::move(*worker.share));
    result_ = merge_shares(std::move(shares));
    result_.series = std::move(series_);
}

void LoadWorkers::read(Worker& worker) {
    std::array<char, 64 * 1024> buffer;
    const auto got = ::read(worker.pipe.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) return;
    if (got <= 0) {
        worker.pipe = Descriptor();
        return reap(worker);
    }
    worker.messages.feed({buffer.data(), static_cast<std::size_t>(got)});
    while (const auto message = worker.messages.next()) on_message(worker, *message);
}

void LoadWorkers::on_message(Worker& worker, const LoadMessages::Message& message) {
    switch (message.kind) {
    case LoadMessageKind::interval: return on_interval(worker, decode_interval(message.body));
    case LoadMessageKind::share: worker.share = decode_share(message.body); return;
    case LoadMessageKind::error: throw Error(Errc::io, std::string(message.body));
    }
}

/// An interval is complete once all processes have ended theirs with this number.
void LoadWorkers::on_interval(Worker& worker, const LoadIntervalMessage& message) {
    auto& open = intervals_[worker.intervals++];
    add_interval(message.interval, open.sum.interval);
    open.sum.delays.add(message.delays);
    if (++open.shares < workers_.size()) return;
    open.sum.interval.set_delays(open.sum.delays);
    series_.push_back(open.sum.interval);
    if (options_.on_interval) options_.on_interval(series_.back(), open.sum.delays);
    intervals_.erase(worker.intervals - 1);
}

void LoadWorkers::count_progress() {
    std::uint64_t started = 0, open = 0, failed = 0, deliveries = 0, events = 0;
    std::size_t measuring = 0, measured = 0;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        const auto& each = shared_->progress[i];
        started += each.started.get();
        open += each.open.get();
        failed += each.failed.get();
        deliveries += each.deliveries.get();
        events = std::max(events, each.events.get());
        measuring += each.measuring.get();
        measured += each.measured.get();
    }
    progress_.started.set(started);
    progress_.open.set(open);
    progress_.failed.set(failed);
    progress_.deliveries.set(deliveries);
    progress_.events.set(events);
    const auto call = [](bool& called, bool now, const std::function<void()>& function) {
        if (!now || std::exchange(called, true)) return;
        if (function) function();
    };
    call(all_started_, started == options_.subscribers, options_.on_all_started);
    call(measuring_, measuring == workers_.size(), options_.on_measuring);
    progress_.measuring.set(measuring_);
    call(measured_, measured > 0, options_.on_measured);
}

void LoadWorkers::reap(Worker& worker) {
    int status = 0;
    while (::waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    const auto pid = std::exchange(worker.pid, -1);
    if (worker.share) return;
    throw Error(Errc::io, WIFSIGNALED(status)
                              ? fmt::format("process {} of the load was ended by signal {}", pid,
                                            WTERMSIG(status))
                              : fmt::format("process {} of the load ended without a result", pid));
}

} // namespace sse
