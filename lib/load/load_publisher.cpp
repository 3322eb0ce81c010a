#include "load/load_publisher.hpp"

#include "base/error.hpp"
#include "base/keyed_hash.hpp"

#include <charconv>
#include <fmt/format.h>
#include <utility>

namespace sse {

LoadPublisher::LoadPublisher(LoadPublisherOptions options)
    : options_(std::move(options))
    , run_(fmt::format("{:016x}", process_hash_key().low)) {
    options_.poster.retries = 1;
    if (!options_.poster.request.find("Content-Type"))
        options_.poster.request.set("Content-Type", "text/plain");
    const Poster checked(options_.poster, ended_); // throws for options that cannot be used
}

LoadPublisher::~LoadPublisher() {
    stop();
    ended_.raise();
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    has_due_.notify_all();
    for (auto& worker : workers_) worker.join();
}

void LoadPublisher::start() {
    if (!dispatcher_.joinable() && !stopped_) dispatcher_ = std::thread([this] { dispatch(); });
}

void LoadPublisher::stop() {
    stopped_.raise();
    if (dispatcher_.joinable()) dispatcher_.join();
}

LoadPublished LoadPublisher::finish() {
    stop();
    const std::lock_guard lock(mutex_);
    return published_;
}

void LoadPublisher::dispatch() {
    const auto start = Interrupt::Clock::now();
    for (std::uint64_t number = 0;; ++number) {
        const auto after = static_cast<double>(number) / options_.rate * 1e9;
        const auto due = start + std::chrono::nanoseconds(static_cast<std::int64_t>(after));
        if (!stopped_.sleep_until(due)) return;
        // If this process is late, the server is not to blame, so the delay counts from now.
        const auto now = Interrupt::Clock::now();
        const std::lock_guard lock(mutex_);
        ++published_.due;
        published_.late.add(now - due);
        due_.push_back({number, now, std::chrono::system_clock::now().time_since_epoch()});
        if (idle_ < due_.size() && workers_.size() < options_.most_requests)
            workers_.emplace_back([this] { work(); });
        has_due_.notify_one();
    }
}

void LoadPublisher::work() {
    Poster poster(options_.poster, ended_);
    std::unique_lock lock(mutex_);
    while (true) {
        ++idle_;
        has_due_.wait(lock, [this] { return ending_ || !due_.empty(); });
        --idle_;
        if (ending_) return;
        const auto due = due_.front();
        due_.pop_front();
        lock.unlock();
        std::string failure;
        try {
            poster.post_body(data_of(due));
        } catch (const Error& e) {
            failure = e.what();
        } catch (const Interrupted&) {
            return;
        }
        const auto took = Interrupt::Clock::now() - due.at;
        lock.lock();
        ++(failure.empty() ? published_.accepted : published_.failed);
        if (failure.empty()) published_.response.add(took);
        else published_.last_failure = failure;
    }
}

std::string LoadPublisher::data_of(const Due& due) const {
    auto data = fmt::format(R"({{"sse_bench":"{}","n":{},"sent":{},"pad":")", run_, due.number,
                            due.system.count());
    const auto length = data.size() + 2;
    if (length < options_.size) data.append(options_.size - length, 'x');
    return data + "\"}";
}

/// Finds the time wherever it is in the data, because the server may have wrapped it.
std::optional<std::chrono::nanoseconds> LoadPublisher::sent_at(std::string_view data) const {
    constexpr std::string_view member = "sent";
    const auto run = data.find(run_);
    const auto sent = run == data.npos ? run : data.find(member, run + run_.size());
    if (sent == data.npos) return std::nullopt;
    data.remove_prefix(sent + member.size());
    data.remove_prefix(std::min(data.find_first_of("0123456789"), data.size()));
    std::int64_t ns = 0;
    const auto read = std::from_chars(data.data(), data.data() + data.size(), ns);
    if (read.ec != std::errc()) return std::nullopt;
    return std::chrono::nanoseconds(ns);
}

} // namespace sse
